/**
 * Firmware in any of the ways of giving it: an image, a reference instead of one, and a digest of its pages that someone
 * computed before.
 * @module
 */
import { equalBytes, formatDigest, type Sha384 } from "@bootproof/bytes";
import type { MeasureWarning } from "../measurement.ts";
import { type FirmwareReference, measureFirmware } from "./firmware-reference.ts";
import { checkSections } from "./launchable.ts";
import type { PageRun } from "./page-run.ts";

/** How firmware is given. */
export interface FirmwareInputs {
  readonly firmware: Uint8Array | FirmwareReference;
  /** Launch digest after the firmware pages; takes the place of what the image or reference gives. */
  readonly firmwareDigest?: Sha384 | undefined;
}

/** Firmware whose pages are in a digest. */
export interface OpenedFirmware {
  readonly reference: FirmwareReference;
  /** The images' pages; undefined when only their digest is known. */
  readonly pages: readonly PageRun[] | undefined;
  readonly warnings: readonly MeasureWarning[];
}

/** Opens firmware, or throws ParseError where QEMU would not launch it. */
export function openFirmware({ firmware, firmwareDigest }: FirmwareInputs): OpenedFirmware {
  const opened = firmware instanceof Uint8Array ? measureFirmware(firmware) : openReference(firmware);
  const { seed } = opened.reference;
  if (firmwareDigest === undefined || equalBytes(seed, firmwareDigest)) return opened;
  return {
    reference: { ...opened.reference, seed: firmwareDigest },
    pages: undefined,
    warnings: [...opened.warnings, differs(seed)],
  };
}

function openReference(reference: FirmwareReference): OpenedFirmware {
  return { reference, pages: undefined, warnings: checkSections(reference.metadata, reference.size) };
}

/** sev-snp-measure combines the digest of one firmware with the sections of another in silence. */
const differs = (seed: Sha384): MeasureWarning => ({
  code: "BP-SNP-115",
  message: `the firmware digest is not this firmware's own: its pages give ${formatDigest(seed)}; only sections and reset address are taken from it`,
  artifact: "firmware",
});
