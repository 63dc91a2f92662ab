/**
 * Entries of a newc archive: what writer and reader share.
 * Linux Documentation/driver-api/early-userspace/buffer-format.rst: a 6-byte magic, 13 fields of 8 hex digits, the
 * name with its NUL, the data; name and data are each padded with zeros to 4 bytes.
 * @module
 */

/** newc without checksum, the format every Linux kernel unpacks. */
export const CPIO_MAGIC = "070701";
/** newc with a sum of the data bytes. */
export const CPIO_CRC_MAGIC = "070702";
/** Magic and thirteen fields. */
export const CPIO_HEADER_LENGTH: number = 6 + 13 * 8;
/** The name that ends an archive. */
export const CPIO_TRAILER = "TRAILER!!!";
/** Linux reads no longer name (PATH_MAX, with its NUL). */
export const MAX_CPIO_NAME = 4096;

/** File type bits of `mode` (stat(2)). */
export const FILE_TYPE = {
  fifo: 0o010000,
  characterDevice: 0o020000,
  directory: 0o040000,
  blockDevice: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

/** The mask of the file type bits. */
export const FILE_TYPE_MASK = 0o170000;

/** Zeros that bring `length` to a multiple of 4. */
export const padding4 = (length: number): number => (4 - (length % 4)) % 4;
