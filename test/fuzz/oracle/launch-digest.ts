/**
 * The SNP launch digest computed a second time, page by page and without the engine: slow and plain.
 * AMD 56860, SNP_LAUNCH_UPDATE (PAGE_INFO); the VMSAs are those of each VMM's reset state.
 * @module
 */
import { createHash } from "node:crypto";
import type { OracleImage } from "./firmware-image.ts";

/** What VMMs do differently. */
interface OracleVmm {
  readonly memory: number;
  readonly cpuidLast: boolean;
  /** Attributes of the code segment (boot processor, others), SS and TR. */
  readonly attributes: readonly [bsp: number, ap: number, ss: number, tr: number];
  readonly pat: bigint;
  readonly rdx: number | undefined;
  readonly mxcsr: number;
  readonly fcw: number;
}

const QEMU: OracleVmm = {
  memory: 3,
  cpuidLast: false,
  attributes: [0x9b, 0x9b, 0x93, 0x8b],
  pat: 0x0007_0406_0007_0406n,
  rdx: undefined,
  mxcsr: 0x1f80,
  fcw: 0x37f,
};

/** The profiles that are computed a second time. */
export const ORACLE_VMMS: Readonly<Record<string, OracleVmm>> = {
  "qemu-kvm-mainline": QEMU,
  "ec2-rdx600": {
    ...QEMU,
    cpuidLast: true,
    attributes: [0x9a, 0x9b, 0x92, 0x83],
    rdx: 0x600,
    mxcsr: 0,
    fcw: 0,
  },
  "gce-milan": { ...QEMU, memory: 4, pat: 0x0007_0106n, rdx: 0x600, mxcsr: 0, fcw: 0 },
};

/** A guest's processors. */
export interface OracleShape {
  readonly vcpus: number;
  readonly signature: number;
  readonly features: bigint;
}

const EMPTY = Buffer.alloc(4096);

const sha384 = (bytes: Uint8Array): Buffer => createHash("sha384").update(bytes).digest();

/** Folds pages into a digest. */
class Chain {
  digest: Buffer;

  constructor(start: Uint8Array) {
    this.digest = Buffer.from(start);
  }

  page(type: number, address: bigint, contents?: Uint8Array): void {
    const info = Buffer.alloc(112);
    this.digest.copy(info, 0);
    if (contents !== undefined) sha384(contents).copy(info, 48);
    info.writeUInt16LE(112, 96);
    info.writeUInt8(type, 98);
    info.writeBigUInt64LE(address, 104);
    this.digest = sha384(info);
  }
}

/** The launch digest after an image's own pages. */
export function oracleSeed(firmware: Uint8Array): Uint8Array {
  const chain = new Chain(new Uint8Array(48));
  for (let at = 0; at < firmware.length; at += 4096)
    chain.page(1, BigInt(2 ** 32 - firmware.length + at), firmware.subarray(at, at + 4096));
  return chain.digest;
}

/** The launch digest in hex; `table` is the 176 bytes of kernel hashes, when they are measured. */
export function oracleDigest(
  seed: Uint8Array,
  image: OracleImage,
  vmm: OracleVmm,
  shape: OracleShape,
  table?: Uint8Array,
): string {
  const chain = new Chain(seed);
  const cpuid = image.sections.filter(({ type }) => type === 3);
  const others = image.sections.filter(({ type }) => type !== 3);
  for (const { address, size, type } of vmm.cpuidLast ? [...others, ...cpuid] : image.sections)
    if (type === 0x10 && table !== undefined) {
      const start = Buffer.alloc(8192);
      start.set(table, (image.hashTable?.address ?? 0) % 4096);
      for (let at = 0; at < size; at += 4096)
        chain.page(1, BigInt(address + at), at < 8192 ? start.subarray(at, at + 4096) : EMPTY);
    } else {
      const pageType = type === 1 ? vmm.memory : type === 2 ? 5 : type === 3 ? 6 : 3;
      for (let at = 0; at < size; at += 4096) chain.page(pageType, BigInt(address + at));
    }
  for (let vcpu = 0; vcpu < shape.vcpus; vcpu++) {
    const address = vcpu === 0 ? 0xffff_fff0 : image.resetAddress;
    chain.page(2, 0xffff_ffff_f000n, vmsa(vmm, shape, address, vcpu === 0));
  }
  return chain.digest.toString("hex");
}

/** A VMSA, as the table of its non-zero fields. */
function vmsa(vmm: OracleVmm, shape: OracleShape, address: number, first: boolean): Buffer {
  const page = Buffer.alloc(4096);
  const segment = (at: number, attributes: number, selector = 0, base = 0): void => {
    page.writeUInt16LE(selector, at);
    page.writeUInt16LE(attributes, at + 2);
    page.writeUInt32LE(0xffff, at + 4);
    page.writeUInt32LE(base, at + 8);
  };
  const [bsp, ap, ss, tr] = vmm.attributes;
  for (const at of [0x00, 0x30, 0x40, 0x50]) segment(at, 0x93);
  segment(0x10, first ? bsp : ap, 0xf000, (address & 0xffff_0000) >>> 0);
  segment(0x20, ss);
  segment(0x60, 0);
  segment(0x70, 0x82);
  segment(0x80, 0);
  segment(0x90, tr);
  const fields: readonly [at: number, value: bigint][] = [
    [0x0d0, 0x1000n],
    [0x148, 0x40n],
    [0x158, 0x10n],
    [0x160, 0x400n],
    [0x168, 0xffff_0ff0n],
    [0x170, 2n],
    [0x178, BigInt(address & 0xffff)],
    [0x268, vmm.pat],
    [0x310, BigInt(vmm.rdx ?? shape.signature)],
    [0x3b0, shape.features],
    [0x3e8, 1n],
  ];
  for (const [at, value] of fields) page.writeBigUInt64LE(value, at);
  page.writeUInt32LE(vmm.mxcsr, 0x408);
  page.writeUInt16LE(vmm.fcw, 0x410);
  return page;
}
