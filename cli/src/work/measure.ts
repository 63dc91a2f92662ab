/**
 * Predicts the launch digest of an SEV-SNP guest from its files and shape.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import type { MeasuredEvent, Measurement } from "@bootproof/measure";
import { measureSnp, type ShapeJson, type SnpShape } from "@bootproof/measure/snp";

import { reading } from "../errors/reading.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { readInput } from "../frame/files.ts";
import { type Given, badValue, usage } from "../frame/given.ts";
import { formatTable } from "../report/table.ts";

const U32 = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;

interface Input {
  readonly role: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Predicts a launch digest. */
export async function measureSnpVerb(context: Context, given: Given): Promise<ExitCode> {
  const shape = readShape(given);
  const inputs = await readInputs(given);
  const bytesOf = (role: string): Uint8Array | undefined =>
    inputs.find((input) => input.role === role)?.bytes;
  const files = {
    firmware: bytesOf("firmware") ?? new Uint8Array(),
    kernel: bytesOf("kernel"),
    initrd: bytesOf("initrd"),
    cmdline: bytesOf("cmdline") ?? given.text("append"),
    kernelHashes: given.refused("kernelHashes") ? false : undefined,
  };
  // Only the firmware can be malformed here: the other files are hashed as they are.
  const measurement = reading(given.text("ovmf") ?? "", () => measureSnp(files, shape));
  for (const { code, message } of measurement.warnings) context.note(`warning: ${message} (${code})`);
  const trace = given.flag("trace");
  await context.answer(formatMeasurement(measurement, trace), toDocument(measurement, inputs, trace));
  return EXIT.yes;
}

function readShape(given: Given): SnpShape {
  const number = (name: string): number | undefined => {
    const value = given.unsigned(name, U32);
    return value === undefined ? undefined : Number(value);
  };
  return {
    vmm: given.text("vmm"),
    vcpus: number("vcpus") ?? 0,
    cpu: given.text("vcpuType"),
    vcpuSig: number("vcpuSig"),
    family: number("vcpuFamily"),
    model: number("vcpuModel"),
    stepping: number("vcpuStepping"),
    guestFeatures: given.unsigned("guestFeatures", U64),
  };
}

const FILES = [
  ["ovmf", "firmware"],
  ["kernel", "kernel"],
  ["initrd", "initrd"],
  ["appendFile", "cmdline"],
] as const;

async function readInputs(given: Given): Promise<Input[]> {
  if (given.text("append") !== undefined && given.text("appendFile") !== undefined)
    throw usage("--append and --append-file are both given", "give the command line once");
  if (given.text("ovmf") === "") throw badValue("--ovmf", "the path of a firmware image", "nothing");
  const inputs: Input[] = [];
  for (const [option, role] of FILES) {
    const path = given.text(option);
    if (path !== undefined) inputs.push({ role, path, bytes: await readInput(path) });
  }
  return inputs;
}

function formatMeasurement(measurement: Measurement<ShapeJson>, trace: boolean): string {
  const registers = formatTable(Object.entries(measurement.registers));
  if (!trace) return registers;
  const rows = measurement.events.map((event) => {
    const address = event.guestAddress === undefined ? "" : `0x${event.guestAddress.toString(16)}`;
    return [event.register, event.type, address, hex(event.digest), describeSource(event)];
  });
  return formatTable(rows, ["register", "type", "guest address", "contents", "what"]) + registers;
}

function describeSource({ label, source: { artifact, offset, length } }: MeasuredEvent): string {
  if (offset === undefined) return label;
  const end = length === undefined ? "" : `..0x${(offset + length).toString(16)}`;
  return `${label} (${artifact} 0x${offset.toString(16)}${end})`;
}

function toDocument(measurement: Measurement<ShapeJson>, inputs: readonly Input[], trace: boolean): object {
  const { platform, shape, registers, events, coverage, warnings } = measurement;
  return {
    schema: "bootproof/measurement/1",
    platform,
    shape,
    registers,
    inputs: inputs.map(({ role, path, bytes }) => ({
      role,
      path,
      size: bytes.length,
      sha256: formatHex(sha256(bytes)),
    })),
    coverage,
    warnings,
    ...(trace && {
      events: events.map((event) => ({
        ...event,
        digest: hex(event.digest),
        guestAddress: event.guestAddress === undefined ? undefined : `0x${event.guestAddress.toString(16)}`,
      })),
    }),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
