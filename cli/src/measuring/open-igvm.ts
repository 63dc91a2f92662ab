/**
 * Guests that boot an IGVM file.
 * @module
 */
import type { Measurement } from "@bootproof/measure";
import { measureIgvm } from "@bootproof/measure/igvm";
import type { SnpShape } from "@bootproof/measure/snp";

import { reading } from "../errors/reading.ts";
import { usage } from "../frame/given.ts";
import type { GuestFiles } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";
import { rowsOf } from "./matrix-rows.ts";
import type { OpenGuest } from "./open-guest.ts";

/** Opens an IGVM file. */
export async function openIgvm(files: GuestFiles, request: GuestRequest, path: string): Promise<OpenGuest> {
  const bytes = await files.bytes(path);
  const { platform, reading: name, kernel, initrd, append, appendFile, firmwareDigest } = request;
  if ([kernel, initrd, append, appendFile].some((part) => part !== undefined))
    throw usage(
      "the kernel of an IGVM guest stands in the file: --kernel, --initrd and --append have no place",
    );
  if (firmwareDigest !== undefined)
    throw usage("--firmware-digest is one of a firmware image, not of an IGVM file");
  const measure = ({ profile, vmm, guestFeatures, ...shape }: SnpShape): Measurement<object> => {
    if (profile !== undefined || vmm !== undefined)
      throw usage("an IGVM file says itself how processors start: --reading takes the place of a profile");
    if (guestFeatures !== undefined)
      throw usage("the guest features of an IGVM guest stand in the file's VMSA");
    return reading(path, () => measureIgvm(bytes, { ...shape, platform, reading: name }));
  };
  return { platform, inputs: [await files.input("igvm", path)], measure, rows: rowsOf(measure) };
}
