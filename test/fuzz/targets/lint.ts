/**
 * Firmware images through the linter: it throws on none, and says "cannot launch" exactly of those that do not.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type FirmwareLint, lintFirmware } from "@bootproof/measure/lint";
import { mutateFirmware } from "../mutate.ts";
import { readImage } from "../oracle/firmware-image.ts";
import { refusal } from "../oracle/launchable.ts";
import { attempt, Complaint, type Outcome, type Target } from "../target.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

const IMAGES: readonly Uint8Array<ArrayBuffer>[] = ["measure/vectors", "ovmf/vectors"].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder))
    .filter((name) => /\.(bin|tail)$/.test(name))
    .sort()
    .map((name) => new Uint8Array(readFileSync(path.join(ROOT, folder, name)))),
);

/** The linter beside the judgement that the engine is fuzzed with. */
export const lint: Target = {
  name: "lint",
  about: "firmware images through lintFirmware",
  limit: 50,
  makeCase(random) {
    const bytes = mutateFirmware(random.pick(IMAGES).slice(), random, IMAGES);
    return {
      bytes,
      given: "lintFirmware",
      // No error is documented: there are bytes that cannot launch, and none that cannot be looked at.
      run: () =>
        attempt(
          () => false,
          () => lintFirmware(bytes),
        ),
      judge: (answer) => judge(bytes, answer as FirmwareLint),
    };
  },
};

function judge(bytes: Uint8Array, { findings, launches, kernelHashes }: FirmwareLint): Outcome {
  const image = readImage(bytes);
  const why = typeof image === "string" ? image : refusal(image, false);
  const grave = findings.filter(({ severity }) => severity === "cannot launch").map(({ code }) => code);
  if ((why === undefined) !== (grave.length === 0))
    throw new Complaint(`${grave.join(", ") || "nothing grave"} of an image that ${why ?? "launches"}`);
  if (launches.qemu.snp.answer !== (why === undefined ? "yes" : "no"))
    throw new Complaint(`QEMU launches it: ${launches.qemu.snp.answer}`);
  if (typeof image === "string" || why !== undefined) return "refused";
  const hashes = refusal(image, true);
  if (kernelHashes.snp.usable !== (hashes === undefined))
    throw new Complaint(
      `kernel hashes usable: ${String(kernelHashes.snp.usable)}, though ${hashes ?? "they are"}`,
    );
  return "accepted";
}
