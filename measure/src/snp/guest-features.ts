/**
 * Guest features: SEV_FEATURES in the VMSA (AMD64 manual volume 2, table B-4; bits 11 and up from newer revisions).
 * @module
 */
import type { MeasureWarning } from "../measurement.ts";
import { MeasureError } from "../measure-error.ts";

const NAMES: ReadonlyMap<bigint, string> = new Map([
  [0n, "SNPActive"],
  [1n, "vTOM"],
  [2n, "ReflectVC"],
  [3n, "RestrictedInjection"],
  [4n, "AlternateInjection"],
  [5n, "DebugSwap"],
  [6n, "PreventHostIBS"],
  [7n, "BTBIsolation"],
  [8n, "VmplSSS"],
  [9n, "SecureTSC"],
  [10n, "VmgexitParameter"],
  [11n, "PmcVirtualization"],
  [12n, "IbsVirtualization"],
  [13n, "GuestInterceptControl"],
  [14n, "VmsaRegProt"],
  [15n, "SmtProtection"],
  [16n, "SecureAvic"],
  [21n, "IbpbOnEntry"],
  [63n, "AllowedSevFeaturesEnable"],
]);

const SNP_ACTIVE = 1n;
const MAX = 0xffff_ffff_ffff_ffffn;

/** What mainline KVM gives every SNP guest. */
export const DEFAULT_GUEST_FEATURES: bigint = SNP_ACTIVE;

/** Names of the set bits, lowest first; a bit without a name is `bit N`. */
export function guestFeatureNames(features: bigint): string[] {
  return setBits(features).map((bit) => NAMES.get(bit) ?? `bit ${bit}`);
}

/** Demands 64 bits with SNPActive, or throws {@link MeasureError}; returns a warning for reserved bits. */
export function checkGuestFeatures(features: bigint): MeasureWarning[] {
  if (features < 0n || features > MAX)
    throw new MeasureError("BP-SNP-004", "guest features must fit in 64 bits", {
      found: `0x${features.toString(16)}`,
    });
  if ((features & SNP_ACTIVE) === 0n)
    throw new MeasureError("BP-SNP-004", "guest features without SNPActive (bit 0) belong to no SNP guest", {
      found: `0x${features.toString(16)}`,
      hint: `set bit 0: 0x${(features | SNP_ACTIVE).toString(16)}`,
    });
  return reservedFeatureWarnings(features);
}

/** A warning when reserved bits are set. */
export function reservedFeatureWarnings(features: bigint): MeasureWarning[] {
  const reserved = setBits(features).filter((bit) => !NAMES.has(bit));
  if (reserved.length === 0) return [];
  const message = `guest features 0x${features.toString(16)} set reserved bits: ${reserved.join(", ")}`;
  return [{ code: "BP-SNP-101", message }];
}

function setBits(features: bigint): bigint[] {
  const bits: bigint[] = [];
  for (let bit = 0n; features >> bit > 0n; bit++) if ((features >> bit) & 1n) bits.push(bit);
  return bits;
}
