/**
 * Which shape a VMSA digest is of, for traces that name none: every profile with every CPU that QEMU and silicon have and
 * the guest features in use. A few thousand pages; what is found is proven by the digest.
 * @module
 */
import { equalBytes, sha256, sha384 } from "@bootproof/bytes";
import { CPU_MODELS, cpuModelSignature } from "./cpu-models.ts";
import type { KnownShape } from "./describe-shape.ts";
import { PROFILES } from "./profiles.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "./vmsa.ts";

/** Signatures of silicon, as `-cpu host` gives them: Milan, Milan-X, Genoa, Genoa-X, Bergamo, Turin, Turin Dense. */
const HOSTS: readonly number[] = [...[0xa00f11, 0xa00f12, 0xa10f11, 0xa10f12, 0xaa0f02, 0xb00f21, 0xb10f10]];
/** Debug swap, secure TSC, restricted injection, and their combinations that were seen. */
const FEATURES: readonly bigint[] = [0x1n, 0x21n, 0x201n, 0x9n, 0x221n, 0x0n];

/** Profile, CPU and guest features of a boot processor's VMSA; undefined when none that was tried gives it. */
export function identifyVmsa(digest: Uint8Array, platform: string): KnownShape | undefined {
  const hash = platform === "snp" ? sha384 : sha256;
  const names = new Map(CPU_MODELS.map((name) => [cpuModelSignature(name), name]));
  for (const cpuSignature of [...names.keys(), ...HOSTS])
    for (const profile of PROFILES) {
      if (profile.platform !== platform || profile.platform === "sev") continue;
      const resetAddress = profile.vmsa.bsp.resetAddress ?? BSP_RESET_ADDRESS;
      for (const guestFeatures of new Set([profile.guestFeatures, ...FEATURES])) {
        const state = { role: "bsp", resetAddress, cpuSignature, guestFeatures } as const;
        if (equalBytes(hash(buildVmsa(profile.vmsa, state)), digest))
          return { profile, cpuSignature, guestFeatures };
      }
    }
  return undefined;
}
