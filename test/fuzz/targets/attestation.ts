/**
 * Attestation documents through their reader: every field of what it takes is within the rules of AWS's document, and
 * stands in the bytes.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  encodeCbor,
  isCborArray,
  isCborMap,
  ParseError,
  parseStrictCbor,
  type CborKey,
  type CborValue,
} from "@bootproof/bytes";
import { describeConsistency, parseAttestationDocument } from "@bootproof/verify/nitro";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { attempt, Complaint, type Target } from "../target.ts";

type Document = ReturnType<typeof parseAttestationDocument>;

const folder = path.resolve(import.meta.dirname, "../../../verify/vectors/nitro");
const DOCUMENTS = readdirSync(folder)
  .filter((name) => name.endsWith(".bin"))
  .sort()
  .map((name) => new Uint8Array(readFileSync(path.join(folder, name))));

/** Documents from the wild, changed as bytes or field by field. */
export const attestation: Target = {
  name: "attestation",
  about: "attestation documents through parseAttestationDocument and describeConsistency",
  limit: 100,
  makeCase(random) {
    const start = random.pick(DOCUMENTS).slice();
    const bytes = random.oneIn(2) ? mutateBytes(start, random, DOCUMENTS) : changeField(start, random);
    return {
      bytes,
      given: "parseAttestationDocument",
      run: () =>
        attempt(
          (error) => error instanceof ParseError,
          () => {
            const document = parseAttestationDocument(bytes);
            describeConsistency(document);
            return document;
          },
        ),
      judge: (answer) => {
        if (answer === undefined) return "refused";
        judge(bytes, answer as Document);
        return "accepted";
      },
    };
  },
};

/** One field of the payload or of what is around it replaced, doubled or left out, with lengths that fit. */
function changeField(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const outer = parseStrictCbor(bytes, "vector");
  if (!isCborArray(outer)) throw new RangeError("a vector that is no array");
  const [header, unprotected, payload, signature] = outer;
  const map = parseStrictCbor(payload as Uint8Array, "vector", { lenient: true });
  if (!isCborMap(map)) throw new RangeError("a vector without a map");
  const fields = [...map];
  const at = random.below(fields.length);
  const [key, value] = fields[at] ?? ["", null];
  if (random.oneIn(6)) fields.splice(at, 1);
  else if (random.oneIn(6)) fields.splice(at, 1, [odd(random) as CborKey, value]);
  else fields.splice(at, 1, [key, key === "pcrs" && random.oneIn(2) ? oddRegisters(random) : odd(random)]);
  return encodeCbor([
    header ?? null,
    unprotected ?? null,
    encodeCbor(new Map(fields)),
    signature ?? null,
  ]).slice();
}

function odd(random: Random): CborValue {
  const sized = (): Uint8Array => new Uint8Array(random.pick([0, 1, 47, 48, 49, 512, 513, 1024, 1025]));
  return random.pick<CborValue>([
    ...[null, true, "", "SHA384", "SHA256", "i-0-enc0", "module_id", "nonce"],
    ...[random.telling(0), 2 ** 53 - 1, -1, 2n ** 63n, new Map(), [], [sized()], [sized(), sized()], sized()],
  ]);
}

const oddRegisters = (random: Random): CborValue =>
  new Map(
    Array.from({ length: random.pick([0, 1, 16, 31, 32, 33]) }, (_, index) => [
      random.oneIn(20) ? random.pick([32, -1, 16]) + index : index,
      new Uint8Array(random.oneIn(9) ? random.pick([0, 32, 47, 49, 64]) : 48),
    ]),
  );

function judge(bytes: Uint8Array, document: Document): void {
  const complain = (ok: boolean, what: string): void => {
    if (!ok) throw new Complaint(what);
  };
  complain(document.moduleId.length > 0, "an empty module_id");
  complain(
    Number.isSafeInteger(document.timestamp) && document.timestamp > 0,
    `timestamp ${document.timestamp}`,
  );
  complain(document.pcrs.size >= 1 && document.pcrs.size <= 32, `${document.pcrs.size} registers`);
  for (const [index, value] of document.pcrs)
    complain(
      index >= 0 && index <= 31 && [32, 48, 64].includes(value.length),
      `register ${index}, ${value.length} bytes`,
    );
  complain(document.cabundle.length >= 1, "no cabundle");
  for (const certificate of [document.certificate, ...document.cabundle])
    complain(
      certificate.length >= 1 && certificate.length <= 1024,
      `a certificate of ${certificate.length} bytes`,
    );
  for (const field of [document.publicKey, document.userData, document.nonce])
    complain((field?.length ?? 0) <= 1024, `a field of ${field?.length ?? 0} bytes`);
  complain(document.signature.length === 96, `a signature of ${document.signature.length} bytes`);
  const file = Buffer.from(bytes);
  for (const part of [document.payload, document.signature, document.protectedHeader])
    complain(file.includes(Buffer.from(part)), "a part that is not in the file");
}
