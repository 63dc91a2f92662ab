/**
 * Guests made of regions of memory, as libkrun lays them out.
 * @module
 */
import { measureRegions, type SnpShape } from "@bootproof/measure/snp";
import type { Measurement } from "@bootproof/measure";

import { reading } from "../errors/reading.ts";
import { usage } from "../frame/given.ts";
import type { GuestFiles, GuestInput } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";
import { rowsOf } from "./matrix-rows.ts";
import type { OpenGuest } from "./open-guest.ts";

/** Opens the regions in the order given. */
export async function openRegions(files: GuestFiles, request: GuestRequest): Promise<OpenGuest> {
  const { regions, kernel, firmwareDigest } = request;
  if (kernel !== undefined || firmwareDigest !== undefined)
    throw usage(
      "a guest made of regions is measured by them alone: --kernel and --firmware-digest have no place",
    );
  const measured = await Promise.all(
    regions.map(async ({ guestAddress, path }) => ({ guestAddress, bytes: await files.bytes(path) })),
  );
  const inputs: GuestInput[] = [];
  for (const { path } of regions) inputs.push(await files.input("region", path));
  const measure = (shape: SnpShape): Measurement<object> =>
    reading("--region", () => measureRegions(measured, shape));
  return { platform: "snp", inputs, measure, rows: rowsOf(measure) };
}
