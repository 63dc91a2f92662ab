/**
 * Stable codes of what can be wrong with an image or a folder that becomes a ramdisk, and of what its ramdisk lacks.
 * @module
 */

/** Codes of an image that cannot become a ramdisk; part of the package's one code union. */
export type ImageErrorCode =
  /** A path is neither an OCI layout, nor a tar of one, nor what `docker save` writes. */
  | "BP-IMAGE-001"
  /** An index, manifest or configuration is malformed. */
  | "BP-IMAGE-002"
  /** A blob that the image names is not there. */
  | "BP-IMAGE-003"
  /** A blob has another digest or size than the image says. */
  | "BP-IMAGE-004"
  /** No image is for the platform. */
  | "BP-IMAGE-005"
  /** Several images answer, and nothing says which is meant. */
  | "BP-IMAGE-006"
  /** Nothing in it has the pinned digest. */
  | "BP-IMAGE-007"
  /** A layer, manifest or artifact of a kind that cannot be unpacked: foreign, encrypted, of an unknown type. */
  | "BP-IMAGE-008"
  /** A layer's uncompressed bytes are not the ones that the configuration names, or it cannot be decompressed. */
  | "BP-IMAGE-009"
  /** A tar is malformed. */
  | "BP-IMAGE-010"
  /** A name leaves the root, is too long or no name, or lies below something that is no directory. */
  | "BP-IMAGE-011"
  /** A hard link to what is not there, or cannot be linked. */
  | "BP-IMAGE-012"
  /** An entry of a type that is never unpacked, such as a socket. */
  | "BP-IMAGE-013"
  /** More bytes, entries or levels than the limits allow, or a decompression bomb. */
  | "BP-IMAGE-014"
  /** A file, owner or device number that a cpio archive has no room for. */
  | "BP-IMAGE-015"
  /** Nothing says which program to run. */
  | "BP-IMAGE-016"
  /** An argument, variable, folder or user that cannot be written as one line. */
  | "BP-IMAGE-017"
  /** The image's user or group is not in its own passwd or group file. */
  | "BP-IMAGE-018"
  /** A file of a folder or image changed while it was read. */
  | "BP-IMAGE-019"
  /** There is no room for the unpacked layers, or their folder cannot be written. */
  | "BP-IMAGE-020";

/** Codes of findings: the ramdisk can be made, and is not all that the image is. */
export type ImageFindingCode =
  /** Programs lose their file capabilities. */
  | "BP-IMAGE-101"
  /** Files lose access lists or other extended attributes. */
  | "BP-IMAGE-102"
  /** nitro-cli would run another command, since it takes CMD without ENTRYPOINT. */
  | "BP-IMAGE-103"
  /** The user's supplementary groups are lost. */
  | "BP-IMAGE-104"
  /** The image holds device nodes. */
  | "BP-IMAGE-105"
  /** The configuration does not say for which platform it is. */
  | "BP-IMAGE-106"
  /** Bookkeeping of AUFS was left out. */
  | "BP-IMAGE-107"
  /** `docker load` would take another image out of this archive. */
  | "BP-IMAGE-108"
  /** Settings of the image that mean nothing in an enclave. */
  | "BP-IMAGE-109";
