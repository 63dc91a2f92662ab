/**
 * A guest measured here, on any platform, as one side of a comparison.
 * @module
 */
import { utf8 } from "@bootproof/bytes";
import { measureSev, measureSevEs } from "../sev/measure-sev.ts";
import { tolerantSide } from "../snp/describe-launch.ts";
import { measureSnp } from "../snp/measure-snp.ts";
import type { AmdPlatform } from "../snp/profile.ts";
import type { SnpShape } from "../snp/shape.ts";
import { type Artifacts, type Side, sideOfMeasurement } from "./side.ts";

/** The files of a guest that boots a firmware image. */
export interface GuestFiles {
  readonly firmware: Uint8Array;
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
      return measureSevEs(files, shape);
    case "sev":
      return measureSev(files, { profile: shape.profile, vmm: shape.vmm });
  }
}

function artifactsOf({ firmware, kernel, initrd, cmdline }: GuestFiles): Artifacts {
  const line = typeof cmdline === "string" ? utf8(cmdline) : cmdline;
  const files = Object.entries({ firmware, kernel, initrd, cmdline: line });
  return Object.fromEntries(files.flatMap(([role, bytes]) => (bytes === undefined ? [] : [[role, bytes]])));
}
