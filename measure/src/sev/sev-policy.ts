/**
 * The guest policy of SEV and SEV-ES.
 * Secure Encrypted Virtualization API (AMD 55766), Guest Policy Structure.
 * @module
 */
import type { MeasureWarning } from "../measurement.ts";
import {
  bitList,
  bitsOf,
  checkVersion,
  checkWidth,
  type DecodedPolicy,
  decodeBits,
  hasBit,
  maskOf,
  type MinimumVersion,
  type PolicyBit,
} from "../policy-bits.ts";

const [NODBG, NOKS] = [0, 1];

/** The bits of a SEV policy, lowest first. */
export const SEV_POLICY_BITS: readonly PolicyBit[] = [
  {
    bit: NODBG,
    name: "nodbg",
    set: "no debugging by the host",
    clear: "the host may read and write the guest's memory with debug commands",
  },
  {
    bit: NOKS,
    name: "noks",
    set: "no key is shared with other guests",
    clear: "other guests may share its key",
  },
  {
    bit: 2,
    name: "es",
    set: "SEV-ES: registers are encrypted and measured",
    clear: "SEV: registers are neither encrypted nor measured",
  },
  { bit: 3, name: "nosend", set: "never moves to another machine", clear: "may move to another machine" },
  {
    bit: 4,
    name: "domain",
    set: "moves only to machines of its domain",
    clear: "is not bound to machines of its domain",
  },
  {
    bit: 5,
    name: "sev",
    set: "moves only to machines with SEV",
    clear: "is not bound to machines with SEV",
  },
];

const NAMED = maskOf(SEV_POLICY_BITS) | 0xffff_0000n;

/** QEMU's policy for SEV when none is given: no debugging. */
export const DEFAULT_SEV_POLICY = 0x1n;

/** Decodes a policy bit by bit; throws {@link MeasureError} for one beyond 32 bits. */
export function decodeSevPolicy(value: bigint): DecodedPolicy {
  checkWidth(value, 32);
  const major = Number((value >> 16n) & 0xffn);
  const minor = Number(value >> 24n);
  const version = major + minor === 0 ? "any" : `${major}.${minor} or newer`;
  return {
    platform: "sev",
    value,
    fields: [
      ...decodeBits(value, SEV_POLICY_BITS),
      { bits: "23:16", name: "api-major", value: major, meaning: `firmware API: ${version}` },
      { bits: "31:24", name: "api-minor", value: minor, meaning: `firmware API: ${version}` },
    ],
    reserved: value & ~NAMED,
    warnings: sevPolicyWarnings(value),
  };
}

/** Builds a policy from the names of bits; throws {@link MeasureError} for unknown names. */
export function buildSevPolicy(
  names: readonly string[],
  api: MinimumVersion = { major: 0, minor: 0 },
): bigint {
  checkVersion(api);
  return bitsOf(names, SEV_POLICY_BITS) | (BigInt(api.major) << 16n) | (BigInt(api.minor) << 24n);
}

function sevPolicyWarnings(value: bigint): MeasureWarning[] {
  const warnings: MeasureWarning[] = [];
  const warn = (code: string, when: boolean, message: string): void => {
    if (when) warnings.push({ code, message });
  };
  const reserved = value & ~NAMED;
  warn(
    "BP-ID-101",
    !hasBit(value, NODBG),
    "debugging is allowed: the host can read and change the guest's memory",
  );
  warn("BP-ID-103", reserved !== 0n, `reserved bits are set: ${bitList(reserved)}; firmware refuses them`);
  warn(
    "BP-ID-104",
    value >> 16n !== 0n,
    "a firmware API is demanded: hosts with older firmware refuse the guest",
  );
  warn("BP-ID-107", !hasBit(value, NOKS), "key sharing is allowed: another guest may use this guest's key");
  return warnings;
}
