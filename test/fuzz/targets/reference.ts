/**
 * Firmware references through their parser: what is accepted is canonical, could launch, and gives the right digest.
 * @module
 */
import { formatHex, utf8 } from "@bootproof/bytes";
import {
  formatFirmwareReference,
  measureFirmware,
  parseFirmwareReference,
  prepareFromReference,
  resolveShape,
} from "@bootproof/measure/snp";
import { mutateBytes } from "../mutate.ts";
import type { OracleImage } from "../oracle/firmware-image.ts";
import { oracleDigest, ORACLE_VMMS } from "../oracle/launch-digest.ts";
import { refusal } from "../oracle/launchable.ts";
import type { Random } from "../random.ts";
import { attempt, Complaint, documented, type Outcome, type Target } from "../target.ts";
import { IMAGES } from "./snp.ts";

/** References of the images that launch. */
const DOCUMENTS: readonly string[] = IMAGES.flatMap((image) => {
  const measured = attempt(documented, () => measureFirmware(image));
  return measured === undefined ? [] : [formatFirmwareReference(measured.reference)];
});
const BYTES = DOCUMENTS.map((text) => utf8(text).slice());
const SIGNATURE = 0x80_0f12;

/** What stands in such documents, and what looks like it. */
const WORDS = [
  "0x0", "0x1", "0x00", "0x1000", "0xfffff000", "0x100000000", "0X1000", "-0x1000", "0x1000+0x1000 0x1", "+", " ", "1e3",
  "4096", "4096.0", "16777216", "16781312", "null", "[]", "{}", '""', "true", '"size"', '"__proto__"', '"\\u0000"', '"svsm"',
  '"kind": "svsm",', '"schema"', ",", "]", "}", "\ufeff", "\n",
]; // prettier-ignore

/** Documents through `parseFirmwareReference` and, where accepted, to a digest. */
export const reference: Target = {
  name: "reference",
  about: "firmware references through parseFirmwareReference and prepareFromReference",
  limit: 200,
  makeCase(random) {
    const bytes = mutated(random);
    return {
      bytes,
      given: "a firmware reference",
      run: () =>
        attempt(documented, () => {
          const parsed = parseFirmwareReference(bytes);
          const shape = resolveShape({ vcpus: 2, vcpuSig: SIGNATURE });
          return [formatFirmwareReference(parsed), formatHex(prepareFromReference(parsed).digest(shape))];
        }),
      judge,
    };
  },
};

function mutated(random: Random): Uint8Array {
  const text = random.pick(DOCUMENTS);
  switch (random.below(3)) {
    case 0:
      return mutateBytes(utf8(text).slice(), random, BYTES);
    case 1:
      return utf8(replaceTokens(text, random));
    default:
      return utf8(changeNumbers(text, random));
  }
}

/** A token replaced, removed or written twice. */
function replaceTokens(text: string, random: Random): string {
  const tokens = text.match(/"[^"]*"|\d+|\s+|./gs) ?? [];
  for (let changes = 1 + random.below(2); changes > 0; changes--) {
    const at = random.below(tokens.length);
    tokens[at] = random.pick([random.pick(WORDS), "", (tokens[at] ?? "").repeat(2)]);
  }
  return tokens.join("");
}

/** One hex number replaced by a telling one, in the same spelling. */
function changeNumbers(text: string, random: Random): string {
  const numbers = [...text.matchAll(/0x[0-9a-f]{1,8}(?![0-9a-f])/g)];
  const chosen = random.pick(numbers);
  const value = `0x${random.telling(Number(chosen[0])).toString(16)}`;
  return text.slice(0, chosen.index) + value + text.slice(chosen.index + chosen[0].length);
}

interface Document {
  readonly kind?: string;
  readonly size: number;
  readonly seed: string;
  readonly resetAddress: string;
  readonly sections: readonly string[];
}

function judge(answer: unknown): Outcome {
  if (answer === undefined) return "refused";
  const [text, digest] = answer as [string, string];
  const document = JSON.parse(text) as Document;
  if (attempt(documented, () => formatFirmwareReference(parseFirmwareReference(utf8(text)))) !== text)
    throw new Complaint("what is written is not what is read again");
  if (document.kind !== undefined) return "accepted";
  const sections = document.sections.map((line) => {
    const [address = 0, size = 0, type = 0] = line.split(/[+ ]/).map(Number);
    return { address, size, type };
  });
  const image: OracleImage = {
    size: document.size,
    resetAddress: Number(document.resetAddress),
    sections,
    hashTable: undefined,
  };
  const why = refusal(image, false);
  if (why !== undefined) throw new Complaint(`a digest for a firmware that does not launch: ${why}`);
  const vmm = ORACLE_VMMS["qemu-kvm-mainline"];
  if (vmm === undefined) throw new RangeError("no such VMM");
  const seed = Buffer.from(document.seed, "hex");
  const wanted = oracleDigest(seed, image, vmm, { vcpus: 2, signature: SIGNATURE, features: 1n });
  if (digest !== wanted) throw new Complaint(`${digest} where ${wanted} is right`);
  return "accepted";
}
