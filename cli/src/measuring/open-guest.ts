/**
 * A guest whose files are read and hashed and whose shape is still open.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { Measurement, MeasureWarning } from "@bootproof/measure";
import {
  type AmdPlatform,
  type BootPlan,
  type DirectBootDigests,
  formatShape,
  isFirmwareReference,
  measureMatrix,
  measureOpened,
  openFirmware,
  type OpenedFirmware,
  type OpenedReference,
  openReference,
  planBoot,
  prepareMeasured,
  resolveProfile,
  resolveShape,
  type SnpLaunch,
  vmsaPages,
  type SnpShape,
} from "@bootproof/measure/snp";

import { readingFirmware } from "../errors/reading.ts";
import type { GuestFiles, GuestInput } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";
import { Kept } from "./kept.ts";
import { firmwarePath, namedInputs, readBoot } from "./read-boot.ts";

/** One row of a matrix. */
export interface GuestRow {
  readonly shape: object;
  /** Lower-case hex. */
  readonly launchDigest: string;
}

/** A guest that can be measured in many shapes. */
export interface OpenGuest {
  readonly platform: AmdPlatform;
  readonly inputs: readonly GuestInput[];
  /** The firmware of an SNP guest that boots OVMF. */
  readonly firmware?: OpenedFirmware;
  measure(shape: SnpShape): Measurement<object>;
  /** Many shapes, without events; each warning goes to `warn` once. */
  rows(shapes: Iterable<SnpShape>, warn: (warning: MeasureWarning) => void): Iterable<GuestRow>;
  /** The VMSA page of each vCPU; undefined where the guest has none or brings its own. */
  readonly vmsas?: (shape: SnpShape) => Iterable<Uint8Array>;
}

/** An SNP guest that boots OVMF. */
export interface OpenSnpGuest extends OpenGuest {
  readonly firmware: OpenedFirmware;
  /** The launch by a shape's profile, everything else of the shape still open. */
  readonly prepare: (shape: SnpShape) => SnpLaunch;
}

/** Firmware, and what a reference in its place says besides. */
interface SnpFirmware extends Omit<OpenedReference, "firmware"> {
  readonly firmware: OpenedFirmware;
}

/** Guests of one run; what several of them have in common is read and hashed once. */
export class GuestOpener {
  readonly files: GuestFiles;
  readonly #firmware = new Kept<Promise<SnpFirmware>>();
  readonly #boots = new Kept<Promise<BootPlan>>();

  constructor(files: GuestFiles) {
    this.files = files;
  }

  /** Opens the guest of a request; throws a failure for files that cannot be read or measured. */
  async open(request: GuestRequest): Promise<OpenGuest> {
    if (request.igvm !== undefined)
      return await (await import("./open-igvm.ts")).openIgvm(this.files, request, request.igvm);
    if (request.regions.length > 0)
      return await (await import("./open-regions.ts")).openRegions(this.files, request);
    if (request.svsm !== undefined)
      return await (await import("./open-svsm.ts")).openSvsm(this.files, request, request.svsm);
    if (request.platform === "snp") return await this.openSnp(request);
    return await (await import("./open-sev.ts")).openSev(this.files, request, request.platform);
  }

  /** Opens an SNP guest with OVMF. */
  async openSnp(request: GuestRequest): Promise<OpenSnpGuest> {
    const path = firmwarePath(request);
    const { firmware, directBoot, profile } = await this.#openFirmware(request, path);
    const boot = await this.#planBoot(request, directBoot);
    const { profiles, vmm } = request.axes;
    // A reference is of one profile: nobody who gives it has to repeat which.
    const own = profile !== undefined && profiles === undefined && vmm === undefined;
    const shapeOf = (shape: SnpShape): SnpShape => (own ? { ...shape, profile } : shape);
    return {
      platform: "snp",
      inputs: await namedInputs(this.files, request),
      firmware,
      vmsas: (shape) => {
        const resolved = resolveShape(shapeOf(shape));
        const { bsp, ap } = vmsaPages(resolved, firmware.reference.resetAddress);
        return Array.from({ length: resolved.vcpus }, (_, vcpu) => (vcpu === 0 ? bsp : ap));
      },
      prepare: (shape) => prepareMeasured(firmware, boot.digests, resolveProfile(shapeOf(shape))),
      measure: (shape) => readingFirmware(path, () => measureOpened(firmware, boot, shapeOf(shape))),
      rows: (shapes, warn) =>
        readingFirmware(path, () =>
          Array.from(measureMatrix(firmware, boot, Array.from(shapes, shapeOf), warn), (row) => ({
            shape: formatShape(row.shape),
            launchDigest: formatHex(row.launchDigest),
          })),
        ),
    };
  }

  async #openFirmware({ firmwareDigest }: GuestRequest, path: string): Promise<SnpFirmware> {
    const key = JSON.stringify([path, firmwareDigest && formatHex(firmwareDigest)]);
    return this.#firmware.get(key, async () => {
      const bytes = await this.files.image(path);
      return readingFirmware(path, () => {
        const { firmware, ...rest } = isFirmwareReference(bytes) ? openReference(bytes) : { firmware: bytes };
        return {
          directBoot: undefined,
          profile: undefined,
          ...rest,
          firmware: openFirmware({ firmware, firmwareDigest }),
        };
      });
    });
  }

  /** The files given, else the hashes in a compact reference. */
  async #planBoot(request: GuestRequest, own: DirectBootDigests | undefined): Promise<BootPlan> {
    const { kernel, initrd, append, appendFile, kernelHashes } = request;
    const named = [kernel, initrd, append, appendFile].some((part) => part !== undefined);
    if (!named && own !== undefined && kernelHashes !== false)
      return { given: ["kernel", "initrd", "cmdline"], digests: own, warnings: [] };
    const key = JSON.stringify([kernel, initrd, append, appendFile, kernelHashes]);
    return this.#boots.get(key, async () => planBoot(await readBoot(this.files, request)));
  }
}
