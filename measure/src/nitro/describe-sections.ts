/**
 * The sections of two images in words: which differs, which moved, and where bytes crossed a boundary that no PCR sees.
 * @module
 */
import { type KernelHeader, parseKernel } from "@bootproof/boot";
import { formatHex, ParseError, sha384 } from "@bootproof/bytes";
import { differences } from "../explain/byte-differences.ts";
import type { Finding } from "../explain/explanation.ts";
import type { Side } from "../explain/side.ts";
import { cmdlineForms } from "./arrangement.ts";
import { cmdlineAccident, cmdlineDetails, shownCmdline } from "./compare-cmdlines.ts";
import { compareMembers, listRamdisk, memberCause } from "./compare-members.ts";
import { isMeasured, type PlannedSection } from "./section.ts";
import type { NamedSection } from "./side.ts";

/** What PCRs see of two images, compared section by section; the first finding is the cause. */
export function describeMeasured(
  a: { readonly side: Side; readonly sections: readonly NamedSection[] },
  b: { readonly side: Side; readonly sections: readonly NamedSection[] },
): Finding[] {
  const [one, other] = [measured(a.sections), measured(b.sections)];
  if (listed(one) === listed(other)) return [];
  const [pcr0, otherPcr0] = [a.side.registers["PCR0"], b.side.registers["PCR0"]];
  // Of a debug enclave PCR0 says nothing, so its bytes may be others.
  const sameBytes = pcr0 !== undefined && pcr0 === otherPcr0 && !/^0*$/.test(pcr0);
  if (sameBytes) return [describeBoundaries(one, other, a.side, b.side)];
  if (sorted(one) === sorted(other)) return [describeOrder(one, other)];
  const found = [...describeRamdiskCount(one, other), ...describeEach(one, other, a.side, b.side)];
  return found.length > 0 ? found : [describeList(one, other)];
}

/** What is left to say of lists that are no image's: without a kernel, or with two. */
const describeList = (one: readonly NamedSection[], other: readonly NamedSection[]): Finding => ({
  subject: "sections",
  what: "the images consist of other sections",
  a: sizesOf(one),
  b: sizesOf(other),
  details: [],
  register: "PCR0",
});

const measured = (sections: readonly NamedSection[]): NamedSection[] =>
  sections.filter((section) => isMeasured(section as PlannedSection));
const keyOf = ({ type, size, sha384 }: NamedSection): string => `${type} ${size} ${sha384}`;
const listed = (sections: readonly NamedSection[]): string => sections.map(keyOf).join();
const sorted = (sections: readonly NamedSection[]): string => sections.map(keyOf).sort().join();

/** Equal bytes cut in other places: PCR0 is equal, and what boots is not. */
function describeBoundaries(
  one: readonly NamedSection[],
  other: readonly NamedSection[],
  a: Side,
  b: Side,
): Finding {
  const register = ["PCR1", "PCR2"].find((name) => a.registers[name] !== b.registers[name]);
  const [endsA, endsB] = [endsOf(one), endsOf(other)];
  const moved = [...new Set([...endsA.keys(), ...endsB.keys()])]
    .filter((name) => endsA.get(name) !== endsB.get(name))
    .map(
      (name) =>
        `${name} ends at byte ${endsA.get(name) ?? "none"} in A and ${endsB.get(name) ?? "none"} in B`,
    );
  return {
    subject: "boundary",
    what: "the same bytes are cut into sections at other places",
    a: sizesOf(one),
    b: sizesOf(other),
    details: [
      ...moved,
      "PCRs hash the sections as one byte string: a loader passes on another kernel, command line or ramdisk all the same",
      "only the section manifest tells such images apart",
    ],
    ...(register !== undefined && { register }),
  };
}

function endsOf(sections: readonly NamedSection[]): Map<string, number> {
  let end = 0;
  return new Map(sections.map(({ name, size }) => [name, (end += size)]));
}

const sizesOf = (sections: readonly NamedSection[]): string =>
  sections.map(({ name, size }) => `${name} ${size}`).join(", ");

const describeOrder = (one: readonly NamedSection[], other: readonly NamedSection[]): Finding => ({
  subject: "order",
  what: "the same sections are in another order in the file",
  a: orderOf(one, one),
  b: orderOf(other, one),
  details: [
    "readers and loaders hash in file order",
    "nitro-cli and eif_build write kernel, command line, metadata, ramdisks in the order given, signature",
  ],
  next: "write the sections in one order",
  register: "PCR0",
});

/** Sections by the names that they have in the first list, so that swapped ramdisks show. */
const orderOf = (sections: readonly NamedSection[], named: readonly NamedSection[]): string =>
  sections
    .map((section) => named.find((one) => keyOf(one) === keyOf(section))?.name ?? section.name)
    .join(", ");

function describeRamdiskCount(one: readonly NamedSection[], other: readonly NamedSection[]): Finding[] {
  const [inA, inB] = [ramdisks(one), ramdisks(other)];
  if (inA.length === inB.length) return [];
  const [more, fewer, who] =
    inA.length > inB.length ? ([inA, inB, "A"] as const) : ([inB, inA, "B"] as const);
  const digests = fewer.map(({ sha384 }) => sha384);
  const extra = more.filter(({ sha384 }) => !digests.includes(sha384)).map(({ name }) => name);
  const names = extra.length === more.length - fewer.length ? `: ${extra.join(", ")}` : "";
  return [
    {
      subject: "ramdisks",
      what: `${who} has ${more.length - fewer.length === 1 ? "a ramdisk" : "ramdisks"} more${names}`,
      a: `${inA.length}`,
      b: `${inB.length}`,
      details: ["PCR1 sees the first ramdisk, PCR2 the others"],
      register: "PCR0",
    },
  ];
}

const ramdisks = (sections: readonly NamedSection[]): NamedSection[] =>
  sections.filter(({ type }) => type === "ramdisk");

function describeEach(
  one: readonly NamedSection[],
  other: readonly NamedSection[],
  a: Side,
  b: Side,
): Finding[] {
  const otherDigests = new Set(ramdisks(other).map(({ sha384 }) => sha384));
  const sameCount = ramdisks(one).length === ramdisks(other).length;
  return one.flatMap((section) => {
    const partner = other.find(({ name }) => name === section.name);
    if (partner === undefined || partner.sha384 === section.sha384) return [];
    // Where one ramdisk is new, those behind it moved and did not change.
    if (!sameCount && section.type === "ramdisk" && otherDigests.has(section.sha384)) return [];
    const bytes = [a.artifacts[section.name], b.artifacts[section.name]] as const;
    return [describeSection(section, partner, bytes)];
  });
}

type Pair = readonly [Uint8Array | undefined, Uint8Array | undefined];

function describeSection(a: NamedSection, b: NamedSection, bytes: Pair): Finding {
  const digests = [`sha384 ${a.sha384} and ${b.sha384}`];
  const shown = { a: `${a.size} bytes`, b: `${b.size} bytes` };
  const register = "PCR0";
  const [one, other] = bytes;
  const subject = a.type;
  if (one === undefined || other === undefined) {
    const guess = a.type === "cmdline" ? guessCmdline(a, b, bytes) : undefined;
    const what = `the ${nameOf(a)} differs${guess === undefined ? "" : `: ${guess}`}`;
    return { subject, what, ...shown, details: digests, register };
  }
  if (a.type === "cmdline") {
    const accident = cmdlineAccident(one, other);
    const what = `the command line differs${accident === undefined ? "" : `: ${accident}`}`;
    const next =
      accident === undefined ? {} : { next: "nitro-cli trims the command line, eif_build takes it as it is" };
    const [textA, textB] = [shownCmdline(one), shownCmdline(other)];
    return {
      subject,
      what,
      a: textA,
      b: textB,
      details: [...cmdlineDetails(one, other), ...digests],
      register,
      ...next,
    };
  }
  const contents = a.type === "kernel" ? kernelDetails(one, other) : ramdiskDetails(one, other);
  const cause = a.type === "ramdisk" ? memberCause(contents) : undefined;
  return {
    subject,
    what: `the ${nameOf(a)} differs`,
    ...shown,
    details: [...contents, placeOf(one, other), ...digests],
    register,
    ...(cause !== undefined && { next: cause }),
  };
}

/** Of a command line whose bytes only one side has: whether the other is one of the usual accidents. */
function guessCmdline(a: NamedSection, b: NamedSection, [one, other]: Pair): string | undefined {
  const [bytes, digest, who] =
    one === undefined ? ([other, a.sha384, "A"] as const) : ([one, b.sha384, "B"] as const);
  const forms = bytes === undefined ? [] : cmdlineForms(bytes);
  const form = forms.find((candidate) => formatHex(sha384(candidate.bytes)) === digest);
  return form && `${who} has ${form.what}`;
}

const nameOf = ({ name }: NamedSection): string => (name === "cmdline" ? "command line" : name);

function kernelDetails(a: Uint8Array, b: Uint8Array): string[] {
  const [one, other] = [headerOf(a), headerOf(b)];
  const [versionA, versionB] = [one?.version, other?.version];
  if (versionA === undefined && versionB === undefined) return [];
  return versionA === versionB
    ? [`both say that they are version ${versionA ?? ""}`]
    : [`version: ${versionA ?? "none"} and ${versionB ?? "none"}`];
}

/** Broken headers have no version to tell of. */
function headerOf(bytes: Uint8Array): KernelHeader | undefined {
  try {
    return parseKernel(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function ramdiskDetails(a: Uint8Array, b: Uint8Array): string[] {
  const [one, other] = [listRamdisk(a), listRamdisk(b)];
  if ("members" in one && "members" in other) return compareMembers(one.members, other.members);
  const problems = [one, other].flatMap((listing, index) =>
    "problem" in listing ? [`${index === 0 ? "A" : "B"}: ${listing.problem}`] : [],
  );
  return onlyGzipHeader(a, b) ? ["only the time in the gzip header differs: gzip -n", ...problems] : problems;
}

/** MTIME of RFC 1952: bytes 4 to 7 of the header. */
function onlyGzipHeader(a: Uint8Array, b: Uint8Array): boolean {
  const found = differences(a, b);
  if (found === undefined || a.length !== b.length || a[0] !== 0x1f || a[1] !== 0x8b) return false;
  return found.stretches.every(({ offset, length }) => offset >= 4 && offset + length <= 8);
}

function placeOf(a: Uint8Array, b: Uint8Array): string {
  const found = differences(a, b);
  if (found === undefined) return `one is the beginning of the other: ${a.length} and ${b.length} bytes`;
  return `first differing byte: offset 0x${found.first.toString(16)}`;
}
