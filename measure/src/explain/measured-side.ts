/**
 * A guest measured here, on any platform, as one side of a comparison.
 * @module
 */
import { ParseError, utf8 } from "@bootproof/bytes";
import { measureSev, measureSevEs } from "../sev/measure-sev.ts";
import { tolerantSide } from "../snp/describe-launch.ts";
import type { FirmwareReference } from "../snp/firmware-reference.ts";
import { measureSnp } from "../snp/measure-snp.ts";
import type { AmdPlatform } from "../snp/profile.ts";
import type { SnpShape } from "../snp/shape.ts";
import { type Artifacts, type Side, sideOfMeasurement } from "./side.ts";

/** The files of a guest that boots a firmware image. */
export interface GuestFiles {
  readonly firmware: Uint8Array | FirmwareReference;
  readonly kernel?: Uint8Array | undefined;
  readonly initrd?: Uint8Array | undefined;
  /** Exact bytes of `-append`; text is taken as UTF-8. */
  readonly cmdline?: Uint8Array | string | undefined;
  readonly kernelHashes?: boolean | undefined;
}

/** Measures a guest, also of files that cannot launch. Throws MeasureError for an impossible shape. */
export function measuredSide(platform: AmdPlatform, files: GuestFiles, shape: SnpShape): Side {
  const artifacts = artifactsOf(files);
  return tolerantSide(platform, artifacts, () =>
    sideOfMeasurement(measure(platform, files, shape), artifacts),
  );
}

function measure(
  platform: AmdPlatform,
  files: GuestFiles,
  shape: SnpShape,
): Parameters<typeof sideOfMeasurement>[0] {
  switch (platform) {
    case "snp":
      return measureSnp(files, shape);
    case "sev-es":
      return measureSevEs({ ...files, firmware: imageOf(files) }, shape);
    case "sev":
      return measureSev({ ...files, firmware: imageOf(files) }, { profile: shape.profile, vmm: shape.vmm });
  }
}

/** SEV and SEV-ES hash the image itself: nothing stands for it. */
function imageOf({ firmware }: GuestFiles): Uint8Array {
  if (firmware instanceof Uint8Array) return firmware;
  throw new ParseError("UNSUPPORTED", "firmware reference", {
    expected: "a firmware image on this platform",
  });
}

function artifactsOf({ firmware, kernel, initrd, cmdline }: GuestFiles): Artifacts {
  const line = typeof cmdline === "string" ? utf8(cmdline) : cmdline;
  const image = firmware instanceof Uint8Array ? firmware : undefined;
  const files = Object.entries({ firmware: image, kernel, initrd, cmdline: line });
  return Object.fromEntries(files.flatMap(([role, bytes]) => (bytes === undefined ? [] : [[role, bytes]])));
}
