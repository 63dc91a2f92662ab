/**
 * The VMSA that KVM builds from a VP context. QEMU copies the context's registers into its processor state, KVM
 * takes that state and measures a page of its own making; nobody hands over the file's page.
 * QEMU target/i386/sev.c (sev_apply_cpu_context, check_vmsa_supported); Linux arch/x86/kvm/svm/svm.c (svm_set_segment,
 * svm_set_cr0, svm_set_cr4, svm_set_efer) and sev.c (sev_es_sync_vmsa); offsets of AMD's manual, table B-4.
 * @module
 */
import { PAGE_SIZE } from "../snp/page-info.ts";

const SEGMENTS = [0x000, 0x010, 0x020, 0x030, 0x040, 0x050, 0x070] as const; // ES CS SS DS FS GS LDTR
const SS = 0x020;
const LDTR = 0x070;
const TR = 0x090;
const TABLES = [0x060, 0x080] as const; // GDTR IDTR
const CPL = 0x0cb;
const SEV_FEATURES = 0x3b0;
const MXCSR = 0x408;
const X87_FCW = 0x410;
const XCR0 = 0x3e8;
const DR7 = 0x160;
const CR0 = 0x158;
/** The structure that QEMU and KVM share; what lies behind it in the page nobody reads. */
const SAVE_AREA = 1648;

/** A register that passes through, with bits that KVM or QEMU forces. */
interface Register {
  readonly offset: number;
  readonly set?: bigint;
  readonly clear?: bigint;
}

const REGISTERS: readonly Register[] = [
  { offset: 0x0d0, set: 0x1000n }, // EFER: KVM adds SVME
  { offset: 0x148, set: 0x40n }, // CR4: KVM adds the host's MCE
  { offset: 0x150 }, // CR3
  { offset: CR0, set: 0x10n, clear: 0x6000_0000n }, // QEMU adds ET, KVM takes CD and NW away
  { offset: DR7 },
  { offset: 0x168 }, // DR6
  { offset: 0x170, set: 0x2n }, // RFLAGS: KVM adds the bit that is always 1
  { offset: 0x178 }, // RIP
  { offset: 0x1d8 }, // RSP
  { offset: 0x1f8 }, // RAX
  { offset: 0x268 }, // G_PAT
  { offset: 0x308 }, // RCX
  { offset: 0x310 }, // RDX
  { offset: 0x318 }, // RBX
  { offset: 0x328 }, // RBP
  { offset: 0x330 }, // RSI
  { offset: 0x338 }, // RDI
  ...Array.from({ length: 8 }, (_, index) => ({ offset: 0x340 + index * 8 })), // R8 to R15
  { offset: XCR0 },
];

const SYNCED: readonly (readonly [start: number, length: number])[] = [
  ...[...SEGMENTS, ...TABLES, TR].map((offset) => [offset, 16] as const),
  ...REGISTERS.map(({ offset }) => [offset, 8] as const),
  [SEV_FEATURES, 8],
  [MXCSR, 4],
  [X87_FCW, 2],
];

/** Offsets that no register above has. */
const NOT_SYNCED: readonly number[] = Array.from({ length: SAVE_AREA }, (_, offset) => offset).filter(
  (offset) => !SYNCED.some(([start, length]) => offset >= start && offset < start + length),
);

/** What KVM adds to every context of a guest. */
export interface KvmVmsaOptions {
  /** SEV_FEATURES: KVM gives all processors the same. */
  readonly features: bigint;
  /** Whether FPU state is copied: not for guests of the legacy VM type. */
  readonly fpu: boolean;
}

/** The page that KVM measures for a VP context of 4096 bytes. */
export function kvmVmsa(context: Uint8Array, { features, fpu }: KvmVmsaOptions): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const from = viewOf(context);
  const to = viewOf(page);
  for (const offset of [...SEGMENTS, TR]) {
    to.setUint16(offset, from.getUint16(offset, true), true); // selector
    to.setUint16(offset + 2, from.getUint16(offset + 2, true) & 0xfff, true); // attributes: 12 bits exist
    to.setUint32(offset + 4, from.getUint32(offset + 4, true), true); // limit
    // QEMU gives TR the base of LDTR.
    to.setBigUint64(offset + 8, from.getBigUint64((offset === TR ? LDTR : offset) + 8, true), true);
  }
  for (const offset of TABLES) {
    to.setUint32(offset + 4, from.getUint32(offset + 4, true) & 0xffff, true);
    to.setBigUint64(offset + 8, from.getBigUint64(offset + 8, true), true);
  }
  to.setUint8(CPL, (from.getUint8(SS + 2) >> 5) & 3); // the privilege level of SS
  for (const { offset, set = 0n, clear = 0n } of REGISTERS)
    to.setBigUint64(offset, (from.getBigUint64(offset, true) & ~clear) | set, true);
  to.setBigUint64(SEV_FEATURES, features, true);
  if (fpu) {
    to.setUint32(MXCSR, from.getUint32(MXCSR, true), true);
    to.setUint16(X87_FCW, from.getUint16(X87_FCW, true), true);
  }
  return page;
}

/** SEV_FEATURES of a VMSA page. */
export function vmsaFeatures(page: Uint8Array): bigint {
  return viewOf(page).getBigUint64(SEV_FEATURES, true);
}

/** CR0 of a VMSA page. */
export function vmsaCr0(page: Uint8Array): bigint {
  return viewOf(page).getBigUint64(CR0, true);
}

/** Offset of the first byte that is not zero and that QEMU cannot hand to KVM: it refuses such a context. */
export function firstUnsynced(context: Uint8Array): number | undefined {
  return NOT_SYNCED.find((offset) => context[offset] !== 0);
}

/** What KVM refuses to start with, in words. */
export function kvmRefusals(context: Uint8Array): string[] {
  const view = viewOf(context);
  const dr7 = view.getBigUint64(DR7, true);
  const xcr0 = view.getBigUint64(XCR0, true);
  const refusals: string[] = [];
  if ((dr7 & ~0x400n) !== 0n)
    refusals.push(`DR7 is 0x${dr7.toString(16)}: KVM launches with no breakpoint set`);
  if ((xcr0 & 1n) === 0n) refusals.push(`XCR0 is 0x${xcr0.toString(16)}: KVM refuses it without bit 0`);
  return refusals;
}

const viewOf = (page: Uint8Array): DataView => new DataView(page.buffer, page.byteOffset, page.byteLength);
