/**
 * What is in the launch digest before the VMSAs, as a search sees it: images, regions or a reference, launched under any
 * profile and with any kernel hashes.
 * @module
 */
import { type Axis, type Candidate, mapAxis } from "../solve/axis.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { prepareFromReference, type SnpLaunch } from "./launch.ts";
import type { SnpProfile } from "./profile.ts";
import { type MeasuredRegion, prepareRegions } from "./regions.ts";
import { imageAxis, variableStoreLength } from "./solve-firmware.ts";
import { measureSvsmImages, type SvsmInputs } from "./svsm.ts";

/** One way to have loaded the guest. */
export interface SnpLoader {
  readonly name: string;
  /** Size of the variable store below which an SVSM lies. */
  readonly varsSize?: number;
  /** Throws ParseError or MeasureError where nothing launches that way. */
  launch(profile: SnpProfile, boot: DirectBootDigests | undefined): SnpLaunch;
}

/** The loaders of an image, as given and as its layout says that it may be split; `variables` lie beside it. */
export function imageLoaders(image: Uint8Array, variables?: Uint8Array): Axis<SnpLoader> {
  return mapAxis(imageAxis(image, variables), ({ name, image: loaded }) =>
    fromReference(name, () => measureFirmware(loaded).reference),
  );
}

/** The loader of what a reference says of an image, or of an image with an SVSM. */
export function referenceLoader(reference: FirmwareReference): Axis<SnpLoader> {
  return onlyLoader(fromReference("as given", () => reference));
}

/** The loader of regions of memory that the VMM laid out. */
export function regionLoader(regions: readonly MeasuredRegion[]): Axis<SnpLoader> {
  const launches = new Map<string, SnpLaunch>();
  return onlyLoader({
    name: "as given",
    launch(profile) {
      // Regions may be large, and profiles are few.
      const launch = launches.get(profile.name) ?? prepareRegions(regions, profile);
      launches.set(profile.name, launch);
      return launch;
    },
  });
}

/** Sizes of variable stores in use: edk2's 4 MiB, 2 MiB and 1 MiB layouts, parts of them, and none. */
const VARIABLE_STORES = [0x84000, 0x20000, 0x40000, 0x21000, 0x1000, 0];

/** The loaders of an image with an SVSM, below variable stores of any usual size. */
export function svsmLoaders(inputs: SvsmInputs): Axis<SnpLoader> {
  const { firmware, svsm, varsSize } = inputs;
  const store = variableStoreLength(firmware);
  const code = store === undefined ? undefined : firmware.subarray(store);
  const sized = (name: string, image: Uint8Array, size: number): SnpLoader => ({
    ...fromReference(name, () => measureSvsmImages({ firmware: image, svsm, varsSize: size }).reference),
    varsSize: size,
  });
  const first: Candidate<SnpLoader> = {
    value: sized("as given", firmware, varsSize),
    label: `a variable store of ${varsSize} bytes`,
    surprise: 0,
  };
  const others = [...new Set([...VARIABLE_STORES, ...(store === undefined ? [] : [store])])]
    .filter((size) => size !== varsSize)
    .map((size) => ({
      value: sized("as given", firmware, size),
      label: `a variable store of ${size} bytes`,
      surprise: 1,
      cause:
        "the SVSM lies below the variable store, whose size is that of the file in the second flash unit",
    }));
  const split =
    code === undefined || store === undefined
      ? []
      : [store, ...VARIABLE_STORES].map((size) => ({
          value: sized("code only", code, size),
          label: `firmware without its variable store (the first ${store} bytes), below one of ${size} bytes`,
          surprise: 2,
          cause: "the first flash unit has a CODE image, and the second one the variable store",
        }));
  return { name: "firmware", standing: "given", candidates: [first, ...others, ...split] };
}

function onlyLoader(value: SnpLoader): Axis<SnpLoader> {
  return {
    name: "firmware",
    standing: "given",
    candidates: [{ value, label: "the firmware as given", surprise: 0 }],
  };
}

function fromReference(name: string, read: () => FirmwareReference): SnpLoader {
  let reference: FirmwareReference | undefined;
  return {
    name,
    launch: (profile, boot) => prepareFromReference((reference ??= read()), boot, profile),
  };
}
