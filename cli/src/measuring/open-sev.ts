/**
 * SEV and SEV-ES guests.
 * @module
 */
import type { Measurement } from "@bootproof/measure";
import { measureSev, measureSevEs } from "@bootproof/measure/sev";
import { isFirmwareReference, type SnpShape } from "@bootproof/measure/snp";

import { readingFirmware } from "../errors/reading.ts";
import { usage } from "../frame/given.ts";
import type { GuestFiles } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";
import { rowsOf } from "./matrix-rows.ts";
import type { OpenGuest } from "./open-guest.ts";
import { firmwarePath, namedInputs, readBoot } from "./read-boot.ts";

/** Opens a guest whose digest is a SHA-256 over everything. */
export async function openSev(
  files: GuestFiles,
  request: GuestRequest,
  platform: "sev" | "sev-es",
): Promise<OpenGuest> {
  const path = firmwarePath(request);
  const firmware = await files.image(path);
  if (isFirmwareReference(firmware) || request.firmwareDigest !== undefined)
    throw usage(`${platform} hashes the firmware image itself: no digest or reference stands for it`);
  const inputs = { firmware, ...(await readBoot(files, request)) };
  const measure = (shape: SnpShape): Measurement<object> =>
    readingFirmware(path, () =>
      platform === "sev" ? measureSev(inputs, shape) : measureSevEs(inputs, shape),
    );
  const named = await namedInputs(files, request);
  const guest = { platform, inputs: named, measure, rows: rowsOf(measure) };
  if (platform === "sev") return guest;
  const vmsas = (shape: SnpShape): Uint8Array[] =>
    readingFirmware(path, () => measureSevEs(inputs, shape))
      .events.filter(({ type }) => type === "LAUNCH_UPDATE_VMSA")
      .map(({ bytes }) => bytes);
  return { ...guest, vmsas };
}
