/**
 * SEV_FEATURES that a host may have set: the usual bits in all combinations, every other known bit alone, and more
 * as rare values.
 * @module
 */
import type { Axis, Candidate } from "../solve/axis.ts";
import { guestFeatureNames } from "./guest-features.ts";

/** Restricted injection, debug swap, secure TSC: what KVM hosts and patched QEMUs switch on and off. */
const USUAL_BITS = [3n, 5n, 9n];
const OTHER_BITS = [1n, 2n, 4n, 6n, 7n, 8n, 10n, 11n, 12n, 13n, 14n, 15n, 16n, 21n];

const CAUSES: ReadonlyMap<bigint, string> = new Map([
  [0x1n, "mainline KVM gives every SNP guest SNPActive and nothing else (profile qemu-kvm-mainline)"],
  [
    0x21n,
    "debug swap is on in hosts with Linux 6.6 to early 6.8 and in AMDESE trees of 2023 and 2024 (kvm_amd.debug_swap); sev-snp-measure 0.0.9 assumed it (profile qemu-debug-swap)",
  ],
  [0x201n, "secure TSC is switched on for the guest"],
  [0x9n, "restricted injection is switched on for the guest"],
]);

/**
 * The feature sets to try. `undefined` stands for what the profile gives, `snpActive` for bit 0, which every SNP
 * guest and no SEV-ES guest has.
 */
export function featuresAxis(
  given: bigint | undefined,
  usual: bigint,
  snpActive: bigint,
): Axis<bigint | undefined> {
  const first: Candidate<bigint | undefined> = { value: given, label: label(given ?? usual), surprise: 0 };
  const combined = subsets(USUAL_BITS, USUAL_BITS.length);
  const all = [...combined, ...OTHER_BITS.map((bit) => [bit])].map((bits) =>
    candidate(bits, snpActive, false),
  );
  const rare = subsets([...USUAL_BITS, ...OTHER_BITS], 2).map((bits) => candidate(bits, snpActive, true));
  const zero: Candidate<bigint>[] = snpActive === 0n ? [] : [withoutSnpActive()];
  const seen = new Set([given ?? usual]);
  const others = [...all, ...zero, ...rare].filter(({ value }) => !seen.has(value) && seen.add(value));
  return {
    name: "guestFeatures",
    standing: given === undefined ? "assumed" : "given",
    candidates: [first, ...others],
  };
}

function candidate(bits: readonly bigint[], snpActive: bigint, rare: boolean): Candidate<bigint> {
  const value = bits.reduce((sum, bit) => sum | (1n << bit), snpActive);
  const usual = bits.every((bit) => USUAL_BITS.includes(bit));
  const cause = CAUSES.get(value) ?? "the host switches the feature on, or the tool assumed that it does";
  const surprise = CAUSES.has(value) ? 1 : bits.length + (usual ? 1 : 3) + (rare ? 2 : 0);
  return { value, label: label(value), surprise, ...(rare && { rare }), cause };
}

function withoutSnpActive(): Candidate<bigint> {
  const cause = "no SNP guest runs without SNPActive";
  const tool = "a tool that was given guest features 0 (none of them refuses it)";
  return { value: 0n, label: label(0n), surprise: 4, cause, tool };
}

/** Every subset of at most `most` bits, the small ones first. */
function subsets(bits: readonly bigint[], most: number): bigint[][] {
  let sized: bigint[][] = [[]];
  const all = [...sized];
  for (let size = 1; size <= most; size++) {
    sized = sized.flatMap((set) => {
      const after = set.length === 0 ? 0 : bits.indexOf(set.at(-1) ?? 0n) + 1;
      return bits.slice(after).map((bit) => [...set, bit]);
    });
    all.push(...sized);
  }
  return all;
}

function label(features: bigint): string {
  const names = guestFeatureNames(features).join(", ");
  return `guest features 0x${features.toString(16)}${names === "" ? "" : ` (${names})`}`;
}
