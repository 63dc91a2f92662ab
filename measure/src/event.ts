/**
 * The one shape of everything that is measured, on every platform (design, section 3).
 * @module
 */

/** Which input an event's bytes come from. */
export type ArtifactRole =
  | "firmware"
  | "svsm"
  | "region"
  | "kernel"
  | "initrd"
  | "ramdisk"
  | "cmdline"
  | "eif"
  | "certificate"
  | "parent"
  | "vmm";

/** Where the measured bytes come from: an artifact, a named part of it, a byte range. */
export interface EventSource {
  readonly artifact: ArtifactRole;
  readonly section?: string;
  readonly offset?: number;
  readonly length?: number;
}

/** One extend of one register. */
export interface MeasuredEvent {
  readonly register: string;
  /** What is extended: on SNP the CONTENTS field, on a TPM the event's digest. */
  readonly digest: Uint8Array;
  /** The platform's own word for the kind of event. */
  readonly type: string;
  /** In a person's words. */
  readonly label: string;
  readonly source: EventSource;
  readonly guestAddress?: bigint;
}
