/**
 * A file to compare becomes a side: images are measured, measurements are measured again from the files they name.
 * @module
 */
import { type Side, sideOfDocument } from "@bootproof/measure";
import { firmwareSide, type GuestFiles, igvmSide, measuredSide } from "@bootproof/measure/explain";
import { type AmdPlatform, parseFirmwareReference, type SnpShape } from "@bootproof/measure/snp";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";
import { readGuestRequest } from "../measuring/guest-request.ts";
import { readOneShape } from "../measuring/one-shape.ts";
import { type DocumentFile, isReference, type SideFile } from "./explain-files.ts";

type Boot = Omit<GuestFiles, "firmware">;

/** Platform, shape and direct boot for images, as far as given. */
export interface OpenShape {
  readonly platform: AmdPlatform;
  readonly shape: SnpShape | undefined;
  readonly reading: string | undefined;
  readonly boot: Boot;
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
  return { platform: request.platform, shape, reading: request.reading, boot };
}

/** The side that a file gives. */
export function sideOf(file: SideFile, open: OpenShape): Side {
  const { shape, boot, platform } = open;
  switch (file.kind) {
    case "document":
      return sideOfMeasured(file);
    case "compact reference":
    case "bundle":
      return file.side;
    case "eif":
      return file.enclave.side;
    case "igvm":
      return igvmSide(file.bytes, igvmShape(open));
    case "reference":
    case "firmware": {
      const firmware = file.kind === "reference" ? file.reference : file.bytes;
      if (shape !== undefined) return measuredSide(platform, { firmware, ...boot }, shape);
      return open.like === undefined ? firmwareSide(firmware) : sideLike(firmware, open.like);
    }
  }
}

/** Without a shape, one processor of the first generation; files that describe it need no CPU. */
function igvmShape({ shape, like, reading }: OpenShape): Parameters<typeof igvmSide>[1] {
  const known = shape ?? (like === undefined ? undefined : shapeOf(like)?.shape);
  if (known === undefined) return { reading, cpu: "EPYC-v4" };
  const { vcpus, cpu, vcpuSig, family, model, stepping } = known;
  return { reading, vcpus, cpu, vcpuSig, family, model, stepping };
}

/** An image measured as a measurement says that another one was. */
function sideLike(firmware: GuestFiles["firmware"], like: DocumentFile): Side {
  const known = shapeOf(like);
  const boot = bootOf(like, sideOfDocument(like.document, like.artifacts));
  if (known !== undefined && boot !== undefined)
    return measuredSide(known.platform, { firmware, ...boot }, known.shape);
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
  if (side.events !== undefined) return withoutReference(side);
  return withoutReference({ ...side, ...measureAgain(file, side) });
}

/** A reference that stands for an image is none: its bytes are not the image's. */
function withoutReference(side: Side): Side {
  const { firmware, ...others } = side.artifacts;
  return firmware !== undefined && isReference(firmware) ? { ...side, artifacts: others } : side;
}

/** The events of a measurement's files, when they are all here and give its registers. */
function measureAgain(file: DocumentFile, side: Side): Pick<Side, "events" | "start"> {
  try {
    const again = measuredFrom(file, side);
    const same = Object.entries(side.registers).every(([name, value]) => again?.registers[name] === value);
    if (again?.events === undefined || !same) return {};
    return { events: again.events, ...(again.start && { start: again.start }) };
  } catch {
    // The measurement may be of a guest that these files alone do not make; it stands for itself then.
    return {};
  }
}

function measuredFrom(file: DocumentFile, side: Side): Side | undefined {
  const { firmware, igvm } = side.artifacts;
  const known = shapeOf(file);
  const boot = bootOf(file, side);
  if (known === undefined || boot === undefined) return undefined;
  const { platform, shape, reading } = known;
  if (igvm !== undefined) return igvmSide(igvm, { platform, ...shape, reading });
  if (firmware === undefined) return undefined;
  const image = isReference(firmware) ? parseFirmwareReference(firmware) : firmware;
  return measuredSide(platform, { firmware: image, ...boot }, shape);
}

interface DocumentShape {
  readonly platform: AmdPlatform;
  readonly shape: SnpShape;
  readonly reading: string | undefined;
}

function shapeOf({ document: { platform, shape } }: DocumentFile): DocumentShape | undefined {
  const { profile, vmm, reading, vcpus, cpu, cpuSignature, guestFeatures } = shape;
  if (platform !== "snp" && platform !== "sev" && platform !== "sev-es") return undefined;
  // Plain SEV measures nothing of its processors.
  if (platform !== "sev" && typeof vcpus !== "number") return undefined;
  const signature = typeof cpuSignature === "string" ? { vcpuSig: Number(cpuSignature) } : {};
  return {
    platform,
    reading: typeof reading === "string" ? reading : undefined,
    shape: {
      profile: typeof profile === "string" ? profile : undefined,
      vmm: typeof vmm === "string" ? vmm : undefined,
      vcpus: typeof vcpus === "number" ? vcpus : 1,
      ...(typeof cpu === "string" ? { cpu } : signature),
      ...(typeof guestFeatures === "string" &&
        HEX.test(guestFeatures) && { guestFeatures: BigInt(guestFeatures) }),
    },
  };
}

const HEX = /^0x[0-9a-f]{1,16}$/;

/** The direct boot of a measurement, or undefined when its files are not all here. */
function bootOf({ document }: DocumentFile, { artifacts }: Side): Boot | undefined {
  const { kernel, initrd, cmdline } = artifacts;
  const roles = ["kernel", "initrd", "cmdline"];
  const missing = document.inputs.some(({ role }) => roles.includes(role) && artifacts[role] === undefined);
  const hashed = document.covered?.includes("kernel");
  if (missing || (hashed === true && kernel === undefined)) return undefined;
  return { kernel, initrd, cmdline, ...(kernel !== undefined && { kernelHashes: hashed }) };
}
