/**
 * Guests with a COCONUT SVSM beside OVMF, as QEMU started them before IGVM files.
 * @module
 */
import { stat } from "node:fs/promises";

import {
  measureSvsm,
  measureSvsmImages,
  resolveShape,
  type SnpShape,
  SVSM_DEFAULT,
  vmsaPages,
} from "@bootproof/measure/snp";
import type { Measurement } from "@bootproof/measure";

import { reading } from "../errors/reading.ts";
import { inputFailure } from "../frame/files.ts";
import { Failure } from "../frame/failure.ts";
import { badValue, usage } from "../frame/given.ts";
import type { GuestFiles } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";
import { rowsOf } from "./matrix-rows.ts";
import type { OpenGuest } from "./open-guest.ts";
import { firmwarePath } from "./read-boot.ts";

/** Opens firmware and SVSM. */
export async function openSvsm(files: GuestFiles, request: GuestRequest, path: string): Promise<OpenGuest> {
  const { kernel, firmwareDigest, varsSize, varsFile } = request;
  if (kernel !== undefined || firmwareDigest !== undefined)
    throw usage(
      "an SVSM guest has no measured kernel and no --firmware-digest: the images are measured whole",
    );
  const firmware = firmwarePath(request);
  const images = {
    firmware: await files.image(firmware),
    svsm: await files.image(path),
    varsSize: varsSize ?? (await sizeOf(varsFile ?? "")),
  };
  const measure = (shape: SnpShape): Measurement<object> => reading(path, () => measureSvsm(images, shape));
  const inputs = [await files.input("firmware", firmware), await files.input("svsm", path)];
  const vmsas = (shape: SnpShape): Uint8Array[] => {
    const resolved = resolveShape({ ...shape, profile: shape.profile ?? SVSM_DEFAULT });
    const { reference } = reading(path, () => measureSvsmImages(images));
    const { bsp, ap } = vmsaPages(resolved, reference.resetAddress);
    return Array.from({ length: resolved.vcpus }, (_, vcpu) => (vcpu === 0 ? bsp : ap));
  };
  return { platform: "snp", inputs, measure, rows: rowsOf(measure), vmsas };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const status = await stat(path);
    // What has no size of its own would put the SVSM in another place, in silence.
    if (!status.isFile()) throw badValue("--vars-file", "a file, whose size is taken", path);
    return status.size;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw inputFailure(path, error);
  }
}
