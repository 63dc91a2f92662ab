/**
 * What is in the launch digest before the VMSAs, as a search sees it: an image or a reference, launched under any
 * profile and with any kernel hashes.
 * @module
 */
import { type Axis, type Candidate, mapAxis } from "../solve/axis.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { prepareFromReference, type SnpLaunch } from "./launch.ts";
import type { SnpProfile } from "./profile.ts";
import { imageAxis } from "./solve-firmware.ts";

/** One way to have loaded the guest. */
export interface SnpLoader {
  readonly name: string;
  /** Throws ParseError where nothing launches that way. */
  launch(profile: SnpProfile, boot: DirectBootDigests | undefined): SnpLaunch;
}

/** The loaders of an image, as given and as its layout says that it may be split; `variables` lie beside it. */
export function imageLoaders(image: Uint8Array, variables?: Uint8Array): Axis<SnpLoader> {
  return mapAxis(imageAxis(image, variables), ({ name, image: loaded }) => {
    const reference = once(() => measureFirmware(loaded).reference);
    return { name, launch: (profile, boot) => prepareFromReference(reference(), boot, profile) };
  });
}

/** The loader of what a reference says of an image. */
export function referenceLoader(reference: FirmwareReference): Axis<SnpLoader> {
  const first: Candidate<SnpLoader> = {
    value: {
      name: "as given",
      launch: (profile, boot) => prepareFromReference(reference, boot, profile),
    },
    label: "the firmware as given",
    surprise: 0,
  };
  return { name: "firmware", standing: "given", candidates: [first] };
}

/** The value of `make`, made when first asked for; a failure is made each time anew. */
function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}
