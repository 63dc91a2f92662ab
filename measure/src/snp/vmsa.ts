/**
 * The VMSA page: a vCPU's register state at launch.
 * AMD64 Architecture Programmer's Manual volume 2, table B-4; values as KVM and the VMM set them at reset.
 * @module
 */
import { PAGE_SIZE } from "./page-info.ts";
import type { Segment, StartState, VcpuRole, VmsaProfile } from "./profile.ts";

/** Where the boot processor starts on every x86. */
export const BSP_RESET_ADDRESS = 0xffff_fff0;

/** What differs between the VMSAs of one guest and between guests. */
export interface VmsaState {
  readonly role: VcpuRole;
  /** EIP after reset: in real mode its upper half is CS.base, its lower half RIP. */
  readonly resetAddress: number;
  readonly cpuSignature: number;
  readonly guestFeatures: bigint;
}

/** The 4096 bytes of one VMSA. */
export function buildVmsa(profile: VmsaProfile, state: VmsaState): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  const start = profile[state.role];
  const flat = start.reset === "flat";
  const { resetAddress } = state;
  writeSegments(view, start, flat ? 0 : resetAddress - (resetAddress % 0x1_0000));
  view.setBigUint64(0x0d0, 0x1000n, true); // EFER: SVME
  view.setBigUint64(0x148, 0x40n, true); // CR4: MCE
  view.setBigUint64(0x158, start.cr0, true); // CR0
  view.setBigUint64(0x160, 0x400n, true); // DR7
  view.setBigUint64(0x168, 0xffff_0ff0n, true); // DR6
  view.setBigUint64(0x170, 0x2n, true); // RFLAGS
  view.setBigUint64(0x178, BigInt(flat ? resetAddress : resetAddress % 0x1_0000), true); // RIP
  view.setBigUint64(0x268, profile.gPat, true); // G_PAT
  const rdx = profile.rdx === "cpu signature" ? state.cpuSignature : profile.rdx;
  view.setBigUint64(0x310, BigInt(rdx), true); // RDX
  view.setBigUint64(0x3b0, state.guestFeatures, true); // SEV_FEATURES
  view.setBigUint64(0x3e8, 0x1n, true); // XCR0
  view.setUint32(0x408, profile.mxcsr, true); // MXCSR
  view.setUint16(0x410, profile.fcw, true); // X87_FCW
  if (state.role === "bsp")
    for (const { offset, value } of profile.bspRegisters) view.setBigUint64(offset, value, true);
  return page;
}

function writeSegments(view: DataView, { cs, ss, ds, gs, tr }: StartState, csBase: number): void {
  const segment = (offset: number, { selector, attributes, limit }: Segment, base = 0): void => {
    view.setUint16(offset, selector, true);
    view.setUint16(offset + 2, attributes, true);
    view.setUint32(offset + 4, limit, true);
    view.setBigUint64(offset + 8, BigInt(base), true);
  };
  const table = (attributes: number): Segment => ({ selector: 0, attributes, limit: 0xffff });
  segment(0x000, ds); // ES
  segment(0x010, cs, csBase); // CS
  segment(0x020, ss); // SS
  segment(0x030, ds); // DS
  segment(0x040, ds); // FS
  segment(0x050, gs); // GS
  segment(0x060, table(0)); // GDTR
  segment(0x070, table(0x82)); // LDTR
  segment(0x080, table(0)); // IDTR
  segment(0x090, tr); // TR
}
