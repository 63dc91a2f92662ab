/**
 * Predicts launch digests of SEV, SEV-ES and SEV-SNP guests from their files and shapes.
 * @module
 */
import type { MeasureWarning } from "@bootproof/measure";
import {
  type AmdPlatform,
  formatFirmwareReference,
  formatSnpReference,
  referenceOf,
  type SnpReference,
  type SnpShape,
} from "@bootproof/measure/snp";

import { readingFirmware } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import { FIRMWARE_DIGEST_MODE, firmwareDigestDocument } from "../measuring/firmware-digest.ts";
import { GuestFiles } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import { shapesOf } from "../measuring/guest-shapes.ts";
import { demandKnownSections } from "../measuring/known-sections.ts";
import { formatMeasurement } from "../measuring/measurement-answer.ts";
import { GuestOpener, type OpenGuest, type OpenSnpGuest } from "../measuring/open-guest.ts";
import { readGuestOf } from "../measuring/read-guest.ts";

/** What tables do not show. */
const OF_ONE_SHAPE = [
  ["--trace", "trace"],
  ["--dump-vmsa", "dumpVmsa"],
  ["--output-format", "outputFormat"],
] as const;

/** Answers `measure` for a platform. */
export async function measureVerb(context: Context, given: Given, platform: AmdPlatform): Promise<ExitCode> {
  const batch = given.text("batch");
  if (batch !== undefined)
    return await (
      await import("../measuring/measure-batch.ts")
    ).measureBatch(context, batch, {
      platform,
      trace: given.flag("trace"),
      unknownSections: given.flag("allowUnknownSections"),
    });
  const { guest: request, notes } = await readGuestOf(given, platform);
  for (const note of notes) context.note(note);
  const opener = new GuestOpener(new GuestFiles());
  if (given.text("mode") === FIRMWARE_DIGEST_MODE)
    return await answerFirmwareDigest(context, request, opener);
  if (given.flag("reference")) return await answerReference(context, given, request, opener);
  const shapes = shapesOf(request);
  const format = readFormat(given);
  const guest = await opener.open(request);
  demandKnownSections(guest, given.flag("allowUnknownSections"));
  const [only] = shapes;
  // A script that asks for CSV gets CSV also when its axes have one value each.
  const one = shapes.length === 1 && (format === undefined || context.options.json);
  if (one && only !== undefined) return await answerOne(context, given, guest, only);
  return await answerMatrix(context, given, guest, shapes, format);
}

function readFormat(given: Given): "table" | "csv" | undefined {
  const format = given.text("format");
  if (format === undefined || format === "table" || format === "csv") return format;
  throw badValue("--format", "table or csv", format);
}

async function answerOne(
  context: Context,
  given: Given,
  guest: OpenGuest,
  shape: SnpShape,
): Promise<ExitCode> {
  const measurement = guest.measure(shape);
  for (const warning of measurement.warnings) warn(context, warning);
  if (given.has("dumpVmsa"))
    await (await import("../measuring/dump-vmsas.ts")).dumpVmsas(given.text("dumpVmsa") ?? ".", guest, shape);
  const trace = given.flag("trace");
  const bare = bareDigest(given, measurement.registers["launchDigest"] ?? "");
  await context.answer(bare ?? formatMeasurement(measurement, trace), async () => {
    const { measurementDocument } = await import("../measuring/measurement-document.ts");
    return measurementDocument(guest, measurement, trace);
  });
  return EXIT.yes;
}

async function answerMatrix(
  context: Context,
  given: Given,
  guest: OpenGuest,
  shapes: readonly SnpShape[],
  format: "table" | "csv" | undefined,
): Promise<ExitCode> {
  const { formatCsv, formatMatrix, matrixDocument } = await import("../measuring/matrix-answer.ts");
  for (const [flag, name] of OF_ONE_SHAPE)
    if (given.has(name)) throw usage(`${flag} is of one shape`, "give one of each axis, and no --format");
  const warnings: MeasureWarning[] = [];
  const rows = [...guest.rows(shapes, (warning) => warnings.push(warning))];
  for (const warning of warnings) warn(context, warning);
  await context.answer(
    format === "csv" ? formatCsv(rows) : formatMatrix(rows),
    matrixDocument(guest, rows, warnings),
  );
  return EXIT.yes;
}

async function answerReference(
  context: Context,
  given: Given,
  request: GuestRequest,
  opener: GuestOpener,
): Promise<ExitCode> {
  const { platform, igvm, svsm, regions } = request;
  if (platform !== "snp" || igvm !== undefined || svsm !== undefined || regions.length > 0)
    throw usage("--reference is of SNP guests with OVMF alone: only their digests follow from one");
  const guest = await opener.openSnp(request);
  demandKnownSections(guest, given.flag("allowUnknownSections"));
  const text =
    request.axes.vcpus.length === 0
      ? formatFirmwareReference(guest.firmware.reference)
      : formatSnpReference(compactReference(guest, request));
  await context.answer(text, JSON.parse(text) as object);
  return EXIT.yes;
}

function compactReference(guest: OpenSnpGuest, request: GuestRequest): SnpReference {
  const shapes = shapesOf(request);
  const [shape, ...others] = shapes;
  if (shape === undefined || others.some(({ profile }) => profile !== shape.profile))
    throw usage("a reference is of one profile");
  return readingFirmware(request.firmware ?? "", () => referenceOf(guest.prepare(shape), shapes));
}

/** sev-snp-measure's mode `snp:ovmf-hash`: the digest after the firmware's pages. */
async function answerFirmwareDigest(
  context: Context,
  request: GuestRequest,
  opener: GuestOpener,
): Promise<ExitCode> {
  const document = firmwareDigestDocument(await opener.openSnp(request));
  await context.answer(`${document.firmwareDigest}\n`, document);
  return EXIT.yes;
}

/** The digest alone, as sev-snp-measure prints it. */
function bareDigest(given: Given, digest: string): string | undefined {
  const format = given.text("outputFormat") ?? (given.text("mode") === undefined ? undefined : "hex");
  if (format === undefined || given.flag("trace")) return undefined;
  if (format === "hex") return `${digest}\n`;
  if (format === "base64") return `${Buffer.from(digest, "hex").toString("base64")}\n`;
  throw badValue("--output-format", "hex or base64", format);
}

function warn(context: Context, { code, message }: MeasureWarning): void {
  context.note(`warning: ${message} (${code})`);
}
