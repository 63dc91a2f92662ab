/**
 * A file to compare becomes a side: images are measured, measurements are measured again from the files they name.
 * @module
 */
import { type Side, sideOfDocument } from "@bootproof/measure";
import {
  firmwareSide,
  measuredSide,
  measureSnp,
  type SnpInputs,
  type SnpShape,
} from "@bootproof/measure/snp";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";
import { readGuestRequest } from "../measuring/guest-request.ts";
import { readOneShape } from "../measuring/one-shape.ts";
import type { DocumentFile, ImageFile, SideFile } from "./explain-files.ts";

/** Shape and direct boot for images, as far as given. */
export interface OpenShape {
  readonly shape: SnpShape | undefined;
  readonly boot: Omit<SnpInputs, "firmware">;
  /** A measurement whose shape and direct boot an image takes when none is given. */
  readonly like?: DocumentFile;
}

/** Reads the shape and direct boot for both sides from the options. */
export async function readOpenShape(given: Given): Promise<OpenShape> {
  const request = readGuestRequest(given, "snp");
  if (request.firmware !== undefined || request.igvm !== undefined)
    throw usage("the two files are what is compared: --ovmf and --igvm have no place beside them");
  const shape = readOneShape(request.axes);
  const read = async (path: string | undefined): Promise<Uint8Array | undefined> =>
    path === undefined ? undefined : await readInput(path);
  const boot = {
    kernel: await read(request.kernel),
    initrd: await read(request.initrd),
    cmdline: (await read(request.appendFile)) ?? request.append,
    kernelHashes: request.kernelHashes,
  };
  if (shape === undefined && Object.values(boot).some((part) => part !== undefined))
    throw usage(
      "a direct boot is given without a shape",
      "give --vcpus and a CPU, such as --vcpu-type EPYC-v4",
    );
  return { shape, boot };
}

/** Whether the options give a shape. */
export const hasShape = ({ shape }: OpenShape): boolean => shape !== undefined;

/** The side that a file gives. */
export function sideOf(file: SideFile, open: OpenShape): Side {
  if (file.kind === "document") return sideOfMeasured(file);
  const { bytes } = file;
  if (open.shape !== undefined) return measuredSide({ firmware: bytes, ...open.boot }, open.shape);
  if (open.like === undefined) return firmwareSide(bytes);
  return sideLike(file, open.like);
}

/** An image measured as a measurement says that another one was. */
function sideLike({ bytes }: ImageFile, like: DocumentFile): Side {
  const shape = shapeOf(like);
  const boot = bootOf(like);
  if (shape !== undefined && boot !== undefined) return measuredSide({ firmware: bytes, ...boot }, shape);
  throw new Failure(
    "BP-EXPLAIN-002",
    EXIT.undecided,
    "the measurement does not say how to measure the image",
    {
      file: like.path,
      hint: "give the shape, and the direct boot if there is one: --vcpus, --vcpu-type, --kernel, --initrd, --append",
    },
  );
}

/** What a document tells, with its own events or those of measuring its files again. */
function sideOfMeasured(file: DocumentFile): Side {
  const { document, artifacts } = file;
  const side = sideOfDocument(document, artifacts);
  if (side.events !== undefined) return side;
  const again = measureAgain(file);
  return again === undefined ? side : { ...side, events: again };
}

/** The events of a measurement's files, when they are all here and give its registers. */
function measureAgain(file: DocumentFile): Side["events"] {
  const { firmware } = file.artifacts;
  const shape = shapeOf(file);
  const boot = bootOf(file);
  if (firmware === undefined || shape === undefined || boot === undefined) return undefined;
  try {
    const { registers, events } = measureSnp({ firmware, ...boot }, shape);
    const same = Object.entries(file.document.registers).every(([name, value]) => registers[name] === value);
    return same ? events : undefined;
  } catch {
    // The measurement may be of a guest that these files alone do not make; it stands for itself then.
    return undefined;
  }
}

function shapeOf({ document: { platform, shape } }: DocumentFile): SnpShape | undefined {
  const { profile, vmm, vcpus, cpu, cpuSignature, guestFeatures } = shape;
  if (platform !== "snp" || typeof vcpus !== "number") return undefined;
  if (typeof cpuSignature !== "string" || typeof guestFeatures !== "string") return undefined;
  return {
    profile: typeof profile === "string" ? profile : undefined,
    vmm: typeof vmm === "string" ? vmm : undefined,
    vcpus,
    ...(typeof cpu === "string" ? { cpu } : { vcpuSig: Number(cpuSignature) }),
    guestFeatures: BigInt(guestFeatures),
  };
}

/** The direct boot of a measurement, or undefined when its files are not all here. */
function bootOf({ document, artifacts }: DocumentFile): Omit<SnpInputs, "firmware"> | undefined {
  const { kernel, initrd, cmdline } = artifacts;
  const roles = ["kernel", "initrd", "cmdline"];
  const missing = document.inputs.some(({ role }) => roles.includes(role) && artifacts[role] === undefined);
  const hashed = document.covered?.includes("kernel");
  if (missing || (hashed === true && kernel === undefined)) return undefined;
  return { kernel, initrd, cmdline, ...(kernel !== undefined && { kernelHashes: hashed }) };
}
