/**
 * The kernel hashes table of measured direct boot.
 * QEMU target/i386/sev.c (SevHashTable) and edk2 OvmfPkg/AmdSev/BlobVerifierLibSevHashes: 168 bytes of GUID, u16
 * length and three entries in fixed order, padded with zeros to 176.
 * @module
 */
import { ByteWriter, parseGuid, type Sha256, sha256 } from "@bootproof/bytes";

/** Bytes of the padded table. */
export const HASH_TABLE_LENGTH = 176;

const TABLE_GUID = "9438d606-4f22-4cc9-b479-a793d411fd21";
const TABLE_LENGTH = 168;
const ENTRY_LENGTH = 16 + 2 + 32;
const ENTRIES = [
  ["cmdline", "97d02dd8-bd20-4c94-aa78-e7714d36ab2a"],
  ["initrd", "44baf731-3a2f-4bd7-9af1-41e29169781d"],
  ["kernel", "4de79437-abd2-427f-b835-d5b172d2045b"],
] as const;

/** A file that is known by its hash: one too large to hold, or hashed before. */
export interface HashedFile {
  readonly sha256: Sha256;
}

/** What the VMM boots directly. */
export interface DirectBoot {
  /** The whole kernel file: with SEV, QEMU leaves its setup header as it is in the file. */
  readonly kernel: Uint8Array;
  /** No initrd and an empty one measure the same. */
  readonly initrd?: Uint8Array | HashedFile | undefined;
  /** Exact bytes of `-append`, without the NUL. None and empty measure the same. */
  readonly cmdline?: Uint8Array | undefined;
}

/** SHA-256 of each part, as the table holds them. */
export interface DirectBootDigests {
  readonly kernel: Sha256;
  readonly initrd: Sha256;
  /** Over the command line and the NUL behind it. */
  readonly cmdline: Sha256;
}

/** Hashes the parts of a direct boot. Trims nothing: QEMU does not. */
export function hashDirectBoot({ kernel, initrd, cmdline }: DirectBoot): DirectBootDigests {
  const terminated = new Uint8Array((cmdline?.length ?? 0) + 1);
  if (cmdline !== undefined) terminated.set(cmdline);
  return {
    kernel: sha256(kernel),
    initrd: initrd !== undefined && "sha256" in initrd ? initrd.sha256 : sha256(initrd ?? new Uint8Array()),
    cmdline: sha256(terminated),
  };
}

/** The 176 bytes that QEMU puts where firmware names the hash table area. */
export function encodeKernelHashes(digests: DirectBootDigests): Uint8Array {
  const writer = new ByteWriter(HASH_TABLE_LENGTH);
  writer.bytes(parseGuid(TABLE_GUID, "hash table GUID")).u16le(TABLE_LENGTH);
  for (const [part, guid] of ENTRIES)
    writer
      .bytes(parseGuid(guid, `${part} GUID`))
      .u16le(ENTRY_LENGTH)
      .bytes(digests[part]);
  return writer.zeros(HASH_TABLE_LENGTH - TABLE_LENGTH).finish();
}
