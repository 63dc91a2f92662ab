/**
 * sev-snp-measure's mode `snp:ovmf-hash`: the launch digest after the firmware's pages, which `--firmware-digest` takes.
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import type { GuestInput } from "./guest-files.ts";
import type { OpenSnpGuest } from "./open-guest.ts";

/** What sev-snp-measure calls it. */
export const FIRMWARE_DIGEST_MODE = "snp:ovmf-hash";

/** The answer of that mode. */
export interface FirmwareDigestDocument {
  readonly schema: "bootproof/firmware-digest/1";
  readonly firmwareDigest: string;
  readonly inputs: readonly GuestInput[];
}

/** The firmware of a guest as that mode answers it. */
export const firmwareDigestDocument = ({ firmware, inputs }: OpenSnpGuest): FirmwareDigestDocument => ({
  schema: "bootproof/firmware-digest/1",
  firmwareDigest: formatHex(firmware.reference.seed),
  inputs,
});
