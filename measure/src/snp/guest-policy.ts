/**
 * The SNP guest policy: what the host may do with a guest, and which hosts may run it.
 * SEV Secure Nested Paging Firmware ABI (AMD 56860), Guest Policy; what KVM refuses: arch/x86/kvm/svm/sev.c.
 * The policy is no part of the launch digest: the report carries it, and an ID block binds it.
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
  formatPolicy,
  hasBit,
  maskOf,
  type MinimumVersion,
  type PolicyBit,
} from "../policy-bits.ts";

const MUST_BE_ONE = 17;
const [SMT, MIGRATE_MA, DEBUG, SINGLE_SOCKET] = [16, 18, 19, 20];

/** The bits of an SNP policy, lowest first. */
export const GUEST_POLICY_BITS: readonly PolicyBit[] = [
  {
    bit: SMT,
    name: "smt",
    set: "runs where SMT is on or off",
    clear: "runs only where SMT is off",
  },
  {
    bit: MUST_BE_ONE,
    name: "reserved-one",
    set: "reserved, must be 1",
    clear: "reserved, must be 1 and is not",
  },
  {
    bit: MIGRATE_MA,
    name: "migrate-ma",
    set: "a migration agent may be bound to the guest and move it",
    clear: "no migration agent",
  },
  {
    bit: DEBUG,
    name: "debug",
    set: "the host may read and write the guest's memory with debug commands",
    clear: "no debugging by the host",
  },
  {
    bit: SINGLE_SOCKET,
    name: "single-socket",
    set: "runs on one socket only",
    clear: "may run on several sockets",
  },
  {
    bit: 21,
    name: "cxl-allow",
    set: "CXL devices and memory may be present",
    clear: "runs only where CXL devices and memory are absent",
  },
  {
    bit: 22,
    name: "mem-aes-256-xts",
    set: "memory must be encrypted with AES-256-XTS",
    clear: "memory may be encrypted with AES-128 too",
  },
  {
    bit: 23,
    name: "rapl-dis",
    set: "the power meter (RAPL) must be disabled",
    clear: "the power meter (RAPL) may be enabled",
  },
  {
    bit: 24,
    name: "ciphertext-hiding-dram",
    set: "the host must not see ciphertext in DRAM",
    clear: "the host may see ciphertext in DRAM",
  },
  {
    bit: 25,
    name: "page-swap-disable",
    set: "the host must not move or swap the guest's pages",
    clear: "the host may move and swap the guest's pages",
  },
];

const NAMED = maskOf(GUEST_POLICY_BITS) | 0xffffn;

/** QEMU's policy when none is given: SMT allowed, nothing else. */
export const DEFAULT_GUEST_POLICY = 0x3_0000n;

/** Decodes a policy bit by bit; throws {@link MeasureError} for one beyond 64 bits. */
export function decodeGuestPolicy(value: bigint): DecodedPolicy {
  checkWidth(value, 64);
  const minor = Number(value & 0xffn);
  const major = Number((value >> 8n) & 0xffn);
  const version = value % 0x1_0000n === 0n ? "any" : `${major}.${minor} or newer`;
  return {
    platform: "snp",
    value,
    fields: [
      { bits: "7:0", name: "abi-minor", value: minor, meaning: `firmware ABI: ${version}` },
      { bits: "15:8", name: "abi-major", value: major, meaning: `firmware ABI: ${version}` },
      ...decodeBits(value, GUEST_POLICY_BITS),
    ],
    reserved: value & ~NAMED,
    warnings: guestPolicyWarnings(value),
  };
}

/** Builds a policy from the names of bits; bit 17 is always set. Throws {@link MeasureError} for unknown names. */
export function buildGuestPolicy(
  names: readonly string[],
  abi: MinimumVersion = { major: 0, minor: 0 },
): bigint {
  checkVersion(abi);
  const version = BigInt(abi.major * 256 + abi.minor);
  return bitsOf(names, GUEST_POLICY_BITS) | (1n << BigInt(MUST_BE_ONE)) | version;
}

/** Why KVM refuses to launch with this policy, whatever the host's firmware supports; undefined when it does not. */
export function kvmPolicyFault(value: bigint): string | undefined {
  if (!hasBit(value, MUST_BE_ONE)) return `bit ${MUST_BE_ONE} must be 1`;
  if (hasBit(value, MIGRATE_MA)) return `KVM has no migration agents (bit ${MIGRATE_MA})`;
  const reserved = value & ~NAMED;
  return reserved === 0n ? undefined : `reserved bits are set: ${bitList(reserved)}`;
}

function guestPolicyWarnings(value: bigint): MeasureWarning[] {
  const warnings: MeasureWarning[] = [];
  const warn = (code: string, when: boolean, message: string): void => {
    if (when) warnings.push({ code, message });
  };
  const reserved = value & ~NAMED;
  warn(
    "BP-ID-101",
    hasBit(value, DEBUG),
    "debugging is allowed: the host can read and change the guest's memory",
  );
  warn(
    "BP-ID-102",
    !hasBit(value, MUST_BE_ONE),
    `bit ${MUST_BE_ONE} must be 1: KVM refuses ${formatPolicy(value)}; ${formatPolicy(value | (1n << 17n))} sets it`,
  );
  warn(
    "BP-ID-103",
    reserved !== 0n,
    `reserved bits are set: ${bitList(reserved)}; firmware and KVM refuse them`,
  );
  warn(
    "BP-ID-104",
    value % 0x1_0000n !== 0n,
    "a firmware ABI is demanded: hosts with older firmware refuse the guest",
  );
  warn(
    "BP-ID-105",
    hasBit(value, MIGRATE_MA),
    "a migration agent is allowed and must be judged like the guest; KVM refuses this policy",
  );
  warn(
    "BP-ID-106",
    !hasBit(value, SMT) || hasBit(value, SINGLE_SOCKET),
    "the first KVM with SNP hosting (Linux 6.11) refuses guests without SMT or for a single socket; newer KVM takes them",
  );
  return warnings;
}
