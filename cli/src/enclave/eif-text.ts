/**
 * An EIF for people: what it says it is, its sections, what is wrong with it, what an enclave reports.
 * @module
 */
import type { EifFinding, UntrustedEifHeader, UntrustedEifSection } from "@bootproof/boot/eif";
import { formatHex } from "@bootproof/bytes";
import { knownBootstrap } from "@bootproof/measure/nitro";

import { formatFields, formatSize, formatTable } from "../report/table.ts";
import { oneLine } from "../report/printable.ts";
import type { ReadingName, ReadingShown } from "./eif-readings.ts";
import { formatMetadata } from "./eif-metadata.ts";
import { formatSignature } from "./eif-signature.ts";
import { escapeBytes } from "./escape-bytes.ts";
import { whyRefused } from "./eif-verdict.ts";
import type { ShownEif } from "./inspect-eif.ts";

/** A kernel takes 2048 bytes; a hostile section may be larger. */
const MAX_CMDLINE = 4096;

/** The lines of `inspect`. */
export function formatEif(shown: ShownEif): string {
  const { reading, readings, members = [] } = shown;
  const several = readings.length > 1;
  const refused = reading.findings.some(({ severity }) => severity === "refused");
  const why = refused ? whyRefused(reading.findings) : INCOMPLETE;
  const parts = [
    formatHead(shown),
    several ? formatTwo(readings) : "",
    formatFindings(reading.findings),
    ...readings.map((each) => formatReading(each, reading.header?.crc32, several, why)),
    formatMetadata(reading),
    formatSignature(shown.signature),
    ...members.map(({ text }) => text),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

const LOADERS = "QEMU and Bottlerocket's tools follow the table in the header: they";
const WALKERS = "AWS's reader (nitro-cli describe-eif) walks from section to section: it";

/** Who sees which image. */
function formatTwo(readings: readonly ReadingShown[]): string {
  const line = (name: ReadingName, who: string, does: string): string => {
    const complete = readings.some(({ reading, registers }) => reading === name && registers !== undefined);
    return `  ${who} ${complete ? does : "cannot read it to its end"}\n`;
  };
  return `this file has two readings
${line("table", LOADERS, "boot the first")}${line("walk", WALKERS, "prints the PCRs of the second")}  which of the two a Nitro host follows is not public: rely on no PCR of this file
`;
}

function formatHead({ size, reading, kernel, readings, verdict }: ShownEif): string {
  const { header, cmdline } = reading;
  const sizeText = `${size} (${formatSize(size)})`;
  if (header === undefined)
    return formatFields([
      ["kind", "no enclave image file (EIF)"],
      ["size", sizeText],
    ]);
  const { version, flags, defaultMemory, defaultCpus, sectionCount } = header;
  return formatFields([
    ["kind", `enclave image file (EIF), version ${version}, ${architectureOf(header)}`],
    ["size", sizeText],
    ["flags", `0x${flags.toString(16).padStart(4, "0")}`],
    ["asks for", `${formatSize(Number(defaultMemory))} of memory, ${defaultCpus} vCPUs (nobody looks)`],
    ["sections", `${sectionCount} in the header's table`],
    ...(readings.length === 1 ? [["CRC-32", crcText(readings[0], header.crc32)] as [string, string]] : []),
    ...(kernel === undefined ? [] : [["kernel", kernel.text] as [string, string]]),
    ["command line", cmdline === undefined ? "cannot be shown" : cmdlineText(cmdline)],
    ["verdict", verdict.words],
  ]);
}

/** The processor that the header's flag names. */
export const architectureOf = ({ flags }: UntrustedEifHeader): string => (flags & 1 ? "aarch64" : "x86_64");

function cmdlineText(cmdline: Uint8Array): string {
  const more = cmdline.length - MAX_CMDLINE;
  return `${escapeBytes(cmdline.subarray(0, MAX_CMDLINE))}${more > 0 ? ` and ${more} more bytes` : ""}`;
}

/** A CRC as it is written, and whether it is what the bytes give. */
function crcText(reading: ReadingShown | undefined, written: number): string {
  const computed = reading?.crc32;
  if (computed === undefined) return `${hex32(written)}, not checked`;
  return computed === written
    ? `${hex32(written)}, as computed`
    : `WRONG: the header says ${hex32(written)}, the bytes give ${hex32(computed)}`;
}

/** A CRC-32 in hex. */
export const hex32 = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

const TITLES = {
  both: "",
  table: "first reading, by the table in the header (QEMU, Bottlerocket)\n",
  walk: "second reading, from section to section (AWS's reader)\n",
} as const;

const INCOMPLETE = "whoever reads it so does not come to an end";
const REPEATS = "its sections overlap so often that they were not hashed";

function formatReading(
  reading: ReadingShown,
  written: number | undefined,
  several: boolean,
  why: string,
): string {
  const { sections, sha384, registers } = reading;
  if (written === undefined) return "";
  const rows = sections.map((section, index) => sectionRow(section, index, sha384?.[index]));
  const table = formatTable(rows, ["#", "section", "at", "size", "sha-384"]);
  const crc = several ? formatFields([["CRC-32", crcText(reading, written)]]) : "";
  const pcrs =
    registers === undefined
      ? `no PCRs: ${reading.repeats === true ? REPEATS : why}\n`
      : formatTable(Object.entries(registers).map(([name, value]) => [name, value, remark(name, value)]));
  return `${TITLES[reading.reading]}${sections.length === 0 ? "" : `${table}\n`}${crc}${pcrs}`;
}

/** What is known of a value. */
function remark(name: string, value: string): string {
  if (name === "PCR8" && /^0+$/.test(value)) return "not signed";
  return name === "PCR1" ? (knownBootstrap(value)?.note ?? "") : "";
}

function sectionRow(section: UntrustedEifSection, index: number, digest: Uint8Array | undefined): string[] {
  const { type, typeNumber, flags, offset, size } = section;
  const name = type ?? `type ${typeNumber}`;
  return [
    String(index),
    flags === 0 ? name : `${name}, flags 0x${flags.toString(16)}`,
    `0x${offset.toString(16)}`,
    String(size),
    digest === undefined ? "not computed" : formatHex(digest),
  ];
}

/** Findings, one a line, with where they are, what was expected and what was found. */
export function formatFindings(findings: readonly EifFinding[]): string {
  return formatTable(
    findings.map((finding) => [
      finding.severity,
      finding.offset === undefined ? "" : `0x${finding.offset.toString(16)}`,
      `${finding.code}  ${findingText(finding)}`,
    ]),
  );
}

/** What a finding says, on one line. */
function findingText({ message, expected, found }: EifFinding): string {
  const both = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(found === undefined ? [] : [`found ${found}`]),
  ].join(", ");
  return oneLine(both === "" ? message : `${message}: ${both}`, 600);
}
