/**
 * Stable codes of what can fail between a lock and its artifacts: unpacking, the input root, the sandbox, the steps.
 * @module
 */

/** Codes that unpacking and building report; part of the package's one code union. */
export type ExecutionErrorCode =
  /** A package is not a well-formed ar archive. */
  | "BP-ARCHIVE-001"
  /** A package is not a Debian binary package of format 2.0. */
  | "BP-ARCHIVE-002"
  /** A package's compressed part cannot be decompressed. */
  | "BP-ARCHIVE-003"
  /** A package's tar is malformed or uses an unknown form. */
  | "BP-ARCHIVE-004"
  /** A path in a package is absolute, climbs with `..` or is not a plain name. */
  | "BP-ARCHIVE-005"
  /** A link in a package leads out of the root or to nothing. */
  | "BP-ARCHIVE-006"
  /** A package holds a device, a pipe, a socket or another special file. */
  | "BP-ARCHIVE-007"
  /** A package is larger than the limits: bytes of a file, of all files, or the number of entries. */
  | "BP-ARCHIVE-008"
  /** Two packages put different things at one path. */
  | "BP-ARCHIVE-009"
  /** An unpacked root in the store is not what its name says. */
  | "BP-ROOT-001"
  /** The toolchain lacks something that every build needs. */
  | "BP-ROOT-002"
  /** The machine cannot make the sandbox: a namespace or a mount is refused. */
  | "BP-SANDBOX-001"
  /** A program of the machine that the sandbox needs is missing. */
  | "BP-SANDBOX-002"
  /** A step ended with an error. */
  | "BP-BUILD-001"
  /** The build ran out of time. */
  | "BP-BUILD-002"
  /** The build went over a limit: the size of its log. */
  | "BP-BUILD-003"
  /** An output is missing, not a regular file, or too large. */
  | "BP-BUILD-004"
  /** The build was stopped on request. */
  | "BP-BUILD-005"
  /** The disk is full: nothing is said of the build itself. */
  | "BP-BUILD-006"
  /** This machine has too little memory for the build. */
  | "BP-BUILD-007";
