/**
 * A small release and its rebuild, for tests here.
 * @module
 */
import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import type { Artifact } from "./artifact.ts";
import type { Release } from "./boot-measurement.ts";
import type { Rebuild } from "./rebuild.ts";

export const digest256 = (text: string): string => formatHex(sha256(utf8(text)));
export const digest384 = (text: string): string => formatHex(sha384(utf8(text)));
const blob = (text: string): { sha256: string; size: number } => ({
  sha256: digest256(text),
  size: text.length,
});
const artifact = (name: string, kind: Artifact["kind"]): Artifact => ({
  name,
  kind,
  size: name.length,
  sha256: digest256(name),
  sha384: digest384(name),
});

export const release: Release = {
  release: { name: "snp-guest", version: "1" },
  artifacts: [artifact("vmlinuz", "kernel"), artifact("OVMF.fd", "firmware"), artifact("cmdline", "cmdline")],
  build: {
    recipe: blob("recipe"),
    lock: blob("lock"),
    provenance: blob("provenance"),
    actions: [{ name: "ovmf", action: blob("action"), inputRoot: blob("root") }],
  },
  measurements: [
    {
      platform: "snp",
      vmm: "qemu",
      kernelHashes: true,
      axes: { vcpus: "1..8", cpu: ["EPYC-v4"], guestFeatures: ["0x1"] },
      reference: {
        prefix: digest384("prefix"),
        vmsas: [
          { cpuSignature: "0x830f10", guestFeatures: "0x1", bsp: digest384("bsp"), ap: digest384("ap") },
        ],
      },
    },
    { platform: "nitro", shape: {}, registers: { PCR0: digest384("pcr0") } },
    {
      platform: "snp",
      vmm: "gce",
      profile: "gce-genoa",
      kernelHashes: true,
      axes: { vcpus: "1", cpu: ["EPYC-Genoa"], guestFeatures: ["0x1"] },
      reference: {
        prefix: digest384("prefix"),
        vmsas: [{ cpuSignature: "0x600", guestFeatures: "0x1", bsp: digest384("bsp"), ap: digest384("ap") }],
        firmware: {
          size: 4194304,
          seed: digest384("seed"),
          resetAddress: "0x80b004",
          sections: ["0x800000+0x9000 0x1", "0x80d000+0x1000 0x2"],
          hashTable: "0x810c00+0x400",
        },
        kernelHashes: { kernel: digest256("k"), initrd: digest256("i"), cmdline: digest256("c") },
      },
    },
  ],
  predictor: { name: "bootproof", version: "0.1.0" },
};

export const rebuild: Rebuild = {
  of: { origin: "example.org/log", index: 0, leafHash: digest256("leaf") },
  verdict: "IDENTICAL",
  artifacts: [
    { name: "vmlinuz", expected: blob("vmlinuz"), found: blob("vmlinuz") },
    { name: "OVMF.fd", expected: blob("OVMF.fd"), found: blob("OVMF.fd") },
  ],
  registers: { compared: 8, differ: [] },
  actions: [{ name: "ovmf", action: blob("action") }],
  rebuilder: { name: "host 7", organisation: "example.net" },
  predictor: { name: "bootproof", version: "0.1.0" },
};
