/**
 * The kinds of files that `inspect` knows, in the order in which they are tried.
 * @module
 */
import type { Inspection, Inspector } from "./inspection.ts";

/** One kind: what people call it, and how a file of it is recognised and decoded. */
export interface InspectorRow {
  /** The word for it on the command line. */
  readonly word: string;
  /** In running text. */
  readonly name: string;
  readonly load: () => Promise<Inspector>;
  /** Decodes bytes that are said to be of this kind and are recognised as none, when that makes sense. */
  readonly loadAnyway?: () => Promise<(bytes: Uint8Array) => Inspection>;
}

/** Every kind, the ones with the plainest marks first. */
export const INSPECTORS: readonly InspectorRow[] = [
  {
    word: "bundle",
    name: "a tlog-proof bundle",
    load: async () => (await import("./log-files.ts")).inspectBundle,
  },
  {
    word: "evidence",
    name: "evidence against a log",
    load: async () => (await import("./evidence-file.ts")).inspectEvidence,
  },
  {
    word: "envelope",
    name: "a DSSE envelope",
    load: async () => (await import("./log-files.ts")).inspectEnvelope,
  },
  {
    word: "key",
    name: "a public or private key",
    load: async () => (await import("./key-files.ts")).inspectKey,
  },
  {
    word: "checkpoint",
    name: "a checkpoint",
    load: async () => (await import("./log-files.ts")).inspectCheckpoint,
  },
  {
    word: "igvm",
    name: "an IGVM file",
    load: async () => (await import("./igvm-file.ts")).inspectIgvm,
  },
  {
    word: "eif",
    name: "an enclave image file (EIF)",
    load: async () => (await import("./eif-bytes.ts")).inspectEifBytes,
  },
  {
    word: "firmware",
    name: "OVMF firmware",
    load: async () => (await import("./firmware-file.ts")).inspectFirmware,
    loadAnyway: async () => (await import("./firmware-file.ts")).inspectUnreadable,
  },
  {
    word: "id-auth",
    name: "an ID auth",
    load: async () => (await import("./identity-files.ts")).inspectIdAuth,
    loadAnyway: async () => (await import("./identity-files.ts")).inspectAnyIdAuth,
  },
  {
    word: "document",
    name: "an attestation document of a Nitro Enclave",
    load: async () => (await import("./document-file.ts")).inspectDocument,
  },
  {
    word: "boot-proof",
    name: "a boot proof of QuorumOS",
    load: async () => (await import("./quorum-os-files.ts")).inspectBootProof,
  },
  {
    word: "manifest",
    name: "a QuorumOS manifest",
    load: async () => (await import("./quorum-os-files.ts")).inspectManifest,
    loadAnyway: async () => (await import("./quorum-os-files.ts")).inspectAnyManifest,
  },
  {
    word: "kms-policy",
    name: "a policy of a KMS key",
    load: async () => (await import("./kms-files.ts")).inspectKmsPolicy,
  },
  {
    word: "measurement",
    name: "a measurement or trace (measure --json)",
    load: async () => (await import("./launch-files.ts")).inspectLaunch,
  },
  {
    word: "reference",
    name: "a firmware reference",
    load: async () => (await import("./launch-files.ts")).inspectReference,
  },
  {
    word: "answer",
    name: "an answer of bootproof (--json)",
    load: async () => (await import("./answer-files.ts")).inspectAnswer,
  },
  {
    word: "kernel",
    name: "a Linux kernel (bzImage)",
    load: async () => (await import("./boot-files.ts")).inspectKernel,
  },
  {
    word: "initrd",
    name: "an initrd (cpio)",
    load: async () => (await import("./boot-files.ts")).inspectInitrd,
  },
  // No magic number, and a length that any text may have.
  {
    word: "id-block",
    name: "an ID block",
    load: async () => (await import("./identity-files.ts")).inspectIdBlock,
    loadAnyway: async () => (await import("./identity-files.ts")).inspectAnyIdBlock,
  },
  // These load the builder, so they are asked last.
  { word: "lock", name: "a lock", load: async () => (await import("./recipe-files.ts")).inspectLock },
  { word: "recipe", name: "a recipe", load: async () => (await import("./recipe-files.ts")).inspectRecipe },
];
