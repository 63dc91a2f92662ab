/**
 * IGVM files through every reading and the linter: a digest or a documented error, and the digest that a second
 * implementation computes.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { IGVM_READINGS, lintIgvm, measureIgvm } from "@bootproof/measure/igvm";
import { mutateBytes } from "../mutate.ts";
import { inPlaceDigest } from "../oracle/igvm-digest.ts";
import type { Random } from "../random.ts";
import { attempt, Complaint, documented, type Outcome, type Target } from "../target.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FOLDER = path.resolve(import.meta.dirname, "../../../measure/vectors/igvm");
const FILES: readonly Bytes[] = readdirSync(FOLDER)
  .sort()
  .map((name) => new Uint8Array(readFileSync(path.join(FOLDER, name))));

const IN_PLACE = {
  igvmmeasure: { nativeZero: false, microsoft: false },
  "igvmmeasure-native-zero": { nativeZero: true, microsoft: false },
  "ms-igvm": { nativeZero: false, microsoft: true },
} as const;

interface Answer {
  readonly digests: ReadonlyMap<string, string | undefined>;
  readonly cannotLaunch: boolean | undefined;
}

/** Files of the vectors, with changed headers and a checksum that is right again. */
export const igvm: Target = {
  name: "igvm",
  about: "IGVM files through measureIgvm by every reading, and lintIgvm",
  limit: 1000,
  makeCase(random) {
    const bytes = change(random.pick(FILES).slice(), random);
    return {
      bytes,
      given: "2 vCPUs of EPYC-v4",
      run: () => attempt(documented, () => answers(bytes)),
      judge: (answer) => judge(bytes, answer as Answer | undefined),
    };
  },
};

function answers(bytes: Bytes): Answer {
  const cannotLaunch = lintIgvm(bytes).findings.some(({ severity }) => severity === "cannot launch");
  const digests = IGVM_READINGS.map(
    ({ name }) =>
      [
        name,
        attempt(
          documented,
          () => measureIgvm(bytes, { reading: name, vcpus: 2, cpu: "EPYC-v4" }).registers["launchDigest"],
        ),
      ] as const,
  );
  return { digests: new Map(digests), cannotLaunch };
}

function judge(bytes: Bytes, answer: Answer | undefined): Outcome {
  if (answer === undefined) return "refused";
  for (const [name, reading] of Object.entries(IN_PLACE)) {
    const [ours, theirs] = [answer.digests.get(name), inPlaceDigest(bytes, reading)];
    if (ours !== undefined && ours !== theirs)
      throw new Complaint(`${name} gives ${ours}, the second implementation ${theirs ?? "nothing"}`);
  }
  const upstream = answer.digests.get("qemu-upstream");
  if (answer.cannotLaunch && upstream !== undefined)
    throw new Complaint(`a digest, ${upstream}, of a file that cannot launch`);
  return upstream === undefined ? "refused" : "accepted";
}

/** Most changes are to headers, and most files get a right checksum: without one nothing behind it is reached. */
function change(start: Bytes, random: Random): Bytes {
  let file = start;
  do file = random.oneIn(6) ? mutateBytes(file, random, FILES) : changeHeader(file, random);
  while (file.length > 24 && !random.oneIn(3));
  return random.oneIn(16) ? file : seal(file);
}

function changeHeader(file: Bytes, random: Random): Bytes {
  const starts = headerStarts(file);
  if (starts.length < 2) return file;
  const view = new DataView(file.buffer);
  const at = random.pick(starts);
  const field = at + 4 * random.below(8);
  switch (random.below(4)) {
    case 0:
      view.setUint32(field, random.telling(view.getUint32(field, true)), true);
      return file;
    case 1:
      // Pages meet, overlap or just miss each other.
      view.setUint32(at + 8, 0x1000 * random.below(16), true);
      return file;
    case 2:
      return file.copyWithin(at, random.pick(starts), at + 32);
    default:
      view.setUint32(random.oneIn(2) ? at + 24 : at + 16, random.below(8), true);
      return file;
  }
}

/** Where headers start, as far as their lengths make sense. */
function headerStarts(file: Bytes): number[] {
  const view = new DataView(file.buffer);
  const starts: number[] = [];
  if (file.length < 64) return starts;
  const end = Math.min(24 + view.getUint32(12, true), file.length - 40);
  for (let at = 24; at < end; at += 8 + Math.ceil(view.getUint32(at + 4, true) / 8) * 8) starts.push(at);
  return starts;
}

function seal(file: Bytes): Bytes {
  if (file.length < 24) return file;
  const view = new DataView(file.buffer);
  view.setUint32(16, file.length, true);
  view.setUint32(20, 0, true);
  const end = Math.min(file.length, view.getUint32(8, true) + view.getUint32(12, true));
  const fixed = file.subarray(0, view.getUint32(4, true) === 2 ? 32 : 24);
  view.setUint32(20, crc32(file.subarray(view.getUint32(8, true), end), crc32(fixed)), true);
  return file;
}
