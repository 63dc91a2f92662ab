/**
 * Firmware images through the engines of SNP, SEV and SEV-ES: a digest exactly for the images that launch, and the
 * right one.
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { measureSev, measureSevEs } from "@bootproof/measure/sev";
import { encodeKernelHashes, hashDirectBoot, measureSnp } from "@bootproof/measure/snp";
import { mutateFirmware } from "../mutate.ts";
import { oracleDigest, oracleSeed, ORACLE_VMMS } from "../oracle/launch-digest.ts";
import { readImage } from "../oracle/firmware-image.ts";
import { refusal } from "../oracle/launchable.ts";
import type { Random } from "../random.ts";
import { attempt, type Case, Complaint, documented, type Outcome, type Target } from "../target.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** The ends of real images: two whole fixtures, and what every edk2 in Debian ends with. */
export const IMAGES: readonly Uint8Array<ArrayBuffer>[] = ["measure/vectors", "ovmf/vectors"].flatMap(
  (folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((name) => /\.(bin|tail)$/.test(name))
      .sort()
      .map((name) => new Uint8Array(readFileSync(path.join(ROOT, folder, name)))),
);

const KERNEL = new Uint8Array(4096).fill(0x4b);
const TABLE = encodeKernelHashes(hashDirectBoot({ kernel: KERNEL }));
const SIGNATURE = 0x80_0f12;

const digestIn = (answer: unknown): string | undefined => (typeof answer === "string" ? answer : undefined);

/** Images through `measureSnp`, and one in eight through SEV and SEV-ES. */
export const snp: Target = {
  name: "snp",
  about: "firmware images through measureSnp, measureSev and measureSevEs",
  limit: 200,
  makeCase(random) {
    const bytes = mutateFirmware(random.pick(IMAGES).slice(), random, IMAGES);
    return random.oneIn(8) ? sevCase(bytes, random) : snpCase(bytes, random);
  },
};

function snpCase(firmware: Uint8Array, random: Random): Case {
  const profile = random.pick(Object.keys(ORACLE_VMMS));
  const kernel = random.oneIn(3) ? KERNEL : undefined;
  const vcpus = 1 + random.below(4);
  const shape = { profile, vcpus, vcpuSig: SIGNATURE };
  return {
    bytes: firmware,
    given: `measureSnp, profile ${profile}, ${vcpus} vCPUs, ${kernel === undefined ? "no kernel" : "a kernel of 4096 x 0x4b"}`,
    run: () => attempt(documented, () => measureSnp({ firmware, kernel }, shape).registers["launchDigest"]),
    judge: (answer) => judge(firmware, shape, kernel !== undefined, digestIn(answer)),
  };
}

/** Compares the engine's answer with the one computed without it. */
function judge(
  firmware: Uint8Array,
  shape: { readonly profile: string; readonly vcpus: number },
  kernelHashes: boolean,
  digest: string | undefined,
): Outcome {
  const image = readImage(firmware);
  const why = typeof image === "string" ? image : refusal(image, kernelHashes);
  if (typeof image === "string" || why !== undefined) {
    if (digest !== undefined) throw new Complaint(`a digest for an image that does not launch: ${why ?? ""}`);
    return "refused";
  }
  const vmm = ORACLE_VMMS[shape.profile];
  if (vmm === undefined) throw new RangeError(shape.profile);
  const known = image.sections.every(({ type }) => [1, 2, 3, 4, 0x10].includes(type));
  if (!known && shape.profile.startsWith("gce")) {
    if (digest !== undefined) throw new Complaint("a digest for a section type that GCE refuses");
    return "refused";
  }
  const table = kernelHashes ? TABLE : undefined;
  const cpus = { vcpus: shape.vcpus, signature: SIGNATURE, features: 1n };
  const wanted = oracleDigest(oracleSeed(firmware), image, vmm, cpus, table);
  if (digest !== wanted) throw new Complaint(`${digest ?? "no digest"} where ${wanted} is right`);
  return "accepted";
}

function sevCase(firmware: Uint8Array, random: Random): Case {
  const es = random.oneIn(2);
  const kernel = random.oneIn(3) ? KERNEL : undefined;
  return {
    bytes: firmware,
    given: `${es ? "measureSevEs, 2 vCPUs" : "measureSev"}, ${kernel === undefined ? "no kernel" : "a kernel of 4096 x 0x4b"}`,
    run: () =>
      attempt(documented, () => {
        const { registers } = es
          ? measureSevEs({ firmware, kernel }, { vcpus: 2, vcpuSig: SIGNATURE })
          : measureSev({ firmware, kernel });
        return registers["launchDigest"];
      }),
    judge: (answer) => {
      const digest = digestIn(answer);
      if (digest === undefined) return "refused";
      if (firmware.length % 4096 !== 0) throw new Complaint("a digest for an image that is no whole pages");
      const parts = kernel === undefined ? [firmware] : [firmware, TABLE];
      const plain = createHash("sha256").update(Buffer.concat(parts)).digest("hex");
      if (!es && digest !== plain) throw new Complaint(`${digest} where ${plain} is right`);
      return "accepted";
    },
  };
}
