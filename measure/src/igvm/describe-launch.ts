/**
 * Two guests that boot IGVM files, in words: their files' headers, their readings, their processors.
 * @module
 */
import { ParseError, utf8 } from "@bootproof/bytes";
import { describeGroup } from "../explain/describe-events.ts";
import type { Finding } from "../explain/explanation.ts";
import { type Describer, type Side, sideOfMeasurement } from "../explain/side.ts";
import { MeasureError } from "../measure-error.ts";
import { describeShapes, readShape } from "../snp/describe-shape.ts";
import { LAUNCH_DIGEST } from "../snp/page-info.ts";
import type { AmdPlatform } from "../snp/profile.ts";
import { describeHeaders, openFile } from "./describe-headers.ts";
import { type IgvmShape, measureIgvm } from "./measure-igvm.ts";

const MAGIC = utf8("IGVM");
const AMD: readonly AmdPlatform[] = ["snp", "sev-es", "sev"];

/** The words of guests that boot IGVM files, on every platform. */
export const igvmDescriber: Describer = {
  describe(a, b, groups) {
    if (bootsIgvm(a) !== bootsIgvm(b)) return [otherKind(a)];
    const headers = describeHeaders(a, b, groups);
    const shapes = [...describeReadings(a, b), ...describeShapes(readShape(a.shape), readShape(b.shape))];
    const found = [...headers, ...shapes];
    const seen = found.some(({ register }) => register !== undefined);
    return seen || groups === undefined ? found : [...groups.map(describeGroup), ...found];
  },
};

function otherKind(a: Side): Finding {
  const [igvm, image] = ["an IGVM file", "a firmware image"];
  const [one, other] = bootsIgvm(a) ? [igvm, image] : [image, igvm];
  return {
    subject: "image",
    what: "the launches boot files of different kinds",
    a: one,
    b: other,
    details: ["no page of one has a counterpart in the other"],
    register: LAUNCH_DIGEST,
    eventIndex: 0,
  };
}

/** Whether a side boots an IGVM file. */
export function bootsIgvm({ artifacts, events, shape }: Side): boolean {
  const file = artifacts["igvm"] ?? artifacts["firmware"];
  if (file !== undefined) return MAGIC.every((byte, index) => file[index] === byte);
  if (shape["reading"] !== undefined) return true;
  return events?.some(({ source }) => source.section?.startsWith("IGVM header ") === true) ?? false;
}

/** A guest of an IGVM file measured here; also of files that cannot launch. Throws {@link MeasureError} for a shape that does not fit. */
export function igvmSide(bytes: Uint8Array, shape: IgvmShape): Side {
  const artifacts = { igvm: bytes };
  const platform = shape.platform ?? servedPlatform(bytes);
  try {
    return sideOfMeasurement(measureIgvm(bytes, { ...shape, platform }), artifacts);
  } catch (error) {
    const unlaunchable = error instanceof MeasureError && error.code === "BP-IGVM-004";
    if (!(error instanceof ParseError) && !unlaunchable) throw error;
    return { platform, shape: {}, registers: {}, inputs: [], artifacts, problem: error.message };
  }
}

/** The first of AMD's platforms that a file serves; SNP when it serves none or cannot be read. */
function servedPlatform(bytes: Uint8Array): AmdPlatform {
  const served = openFile(bytes)?.platforms.map(({ platform }) => platform) ?? [];
  return AMD.find((platform) => served.includes(platform)) ?? "snp";
}

function describeReadings({ shape: a }: Side, { shape: b }: Side): Finding[] {
  const [one, other] = [a["reading"], b["reading"]];
  if (typeof one !== "string" || typeof other !== "string" || one === other) return [];
  return [
    {
      subject: "reading",
      what: "the IGVM files are read in different ways",
      a: one,
      b: other,
      details: ["the reading says whose rules turn the file into pages; hardware reports what qemu reads"],
      register: LAUNCH_DIGEST,
    },
  ];
}
