/**
 * IGVM files for tests: those of `vectors/igvm`, and synthetic ones.
 * @module
 */
import { readFileSync } from "node:fs";
import { buildIgvm, guestPolicy, type HeaderPart, platform } from "@bootproof/ovmf/igvm-builder";
import { defaultProfile } from "../snp/profiles.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "../snp/vmsa.ts";

/** A file of `vectors/`. */
export const igvmFile = (path: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../vectors/${path}`, import.meta.url)));

/** The reset state of an EPYC-v4, which QEMU and KVM take as it is. */
export function resetPage(guestFeatures = 1n): Uint8Array {
  const state = { role: "bsp", resetAddress: BSP_RESET_ADDRESS, cpuSignature: 0x800f12 } as const;
  return buildVmsa(defaultProfile("snp", "qemu").vmsa, { ...state, guestFeatures });
}

/** A VMSA with 64-bit values at offsets of its own. */
export function vmsaWith(values: Readonly<Record<number, bigint>>): Uint8Array {
  const page = resetPage();
  const view = new DataView(page.buffer);
  for (const [offset, value] of Object.entries(values)) view.setBigUint64(Number(offset), value, true);
  return page;
}

/** A file for SNP guests with these directives. */
export const snpFile = (...headers: readonly HeaderPart[]): Uint8Array<ArrayBuffer> =>
  buildIgvm({ headers: [platform(), guestPolicy(), ...headers] });

/** A page full of one byte. */
export const pageOf = (byte: number): Uint8Array => new Uint8Array(4096).fill(byte);
