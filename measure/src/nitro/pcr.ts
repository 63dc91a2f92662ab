/**
 * PCRs of a Nitro Enclave: start values, the extend rule, and what is extended
 * (AWS Nitro Enclaves user guide, "Where to get an enclave's measurements").
 * @module
 */
import { concatBytes, type Sha384, sha384 } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import type { Registers } from "../replay.ts";

/** Registers that can be predicted; PCR5 to PCR7 and PCR9 to PCR15 stay zero. */
export const PCR_NAMES = ["PCR0", "PCR1", "PCR2", "PCR3", "PCR4", "PCR8"] as const;

/** One of {@link PCR_NAMES}. */
export type PcrName = (typeof PCR_NAMES)[number];

/** What an event extends. */
export type PcrEventType =
  /** Kernel, command line and all ramdisks. */
  | "IMAGE"
  /** Kernel, command line and the first ramdisk. */
  | "BOOTSTRAP"
  /** The ramdisks after the first. */
  | "APPLICATION"
  | "ROLE_ARN"
  | "INSTANCE_ID"
  | "CERTIFICATE";

/** One extend of one PCR. */
export interface PcrEvent extends MeasuredEvent {
  readonly register: PcrName;
  /** A SHA-384; of PCR3 and PCR4 the text itself. */
  readonly digest: Uint8Array;
  readonly type: PcrEventType;
}

/** Bytes of a PCR. */
export const PCR_SIZE = 48;

const ZERO: Uint8Array = new Uint8Array(PCR_SIZE);

/** Values before anything is extended. */
export const NITRO_START: Registers = Object.fromEntries(PCR_NAMES.map((name) => [name, ZERO]));

/** The PCR after an extend: the hash of its old value and the new bytes. */
export const extendPcr = (current: Uint8Array, extended: Uint8Array): Sha384 =>
  sha384(concatBytes(current, extended));

/** A PCR that is extended once, from zero. */
export const pcrOf = (extended: Uint8Array): Sha384 => extendPcr(ZERO, extended);
