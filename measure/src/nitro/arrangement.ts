/**
 * Ways in which an image may have been put together otherwise than it is: the accidents that people have with command
 * lines, ramdisks and their order. Each is a list of pieces to hash, so that no image need be in memory.
 * @module
 */
import { concatBytes, equalBytes, utf8 } from "@bootproof/bytes";
import { isMeasured, type PlannedSection, sectionNames } from "./section.ts";

/** A stretch to hash: of a section of the image, whole where `start` and `end` are absent; or bytes in its place. */
export type Piece =
  | { readonly section: number; readonly start?: number; readonly end?: number }
  | { readonly bytes: Uint8Array };

/** One way to put an image together. */
export interface Arrangement {
  /** In words; undefined for the image as it is. */
  readonly what?: string;
  /** How that comes about. */
  readonly cause?: string;
  /** In the order in which they are hashed. */
  readonly parts: readonly ArrangedPart[];
}

/** A measured part of an arrangement. */
export interface ArrangedPart {
  /** Whether it is a ramdisk of its own: PCR1 takes the first of these, PCR2 the others. */
  readonly ramdisk: boolean;
  readonly piece: Piece;
}

/** Ramdisks whose orders are all tried: 24 orders, beyond that neighbours only. */
const MAX_PERMUTED = 4;
const KERNEL_LINES: readonly (readonly [string, string])[] = [
  [
    "x86_64",
    "reboot=k panic=30 pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd random.trust_cpu=on",
  ],
  ["aarch64", "reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on root=/dev/ram0"],
];

/** Every arrangement worth trying, the image as it is first, then one change, then two. */
export function* arrangements(
  sections: readonly PlannedSection[],
  cmdline: Uint8Array | undefined,
): Generator<Arrangement> {
  const given = partsOf(sections);
  yield { parts: given };
  const lines = cmdline === undefined ? [] : cmdlineForms(cmdline);
  const orders = orderForms(sections, given);
  const withLine = (parts: readonly ArrangedPart[], bytes: Uint8Array): ArrangedPart[] =>
    parts.map((part) => (isCmdline(part, sections) ? { ...part, piece: { bytes } } : part));
  for (const { what, cause, bytes } of lines) yield { what, cause, parts: withLine(given, bytes) };
  yield* orders;
  for (const order of orders)
    for (const { what, cause, bytes } of lines)
      yield {
        what: `${order.what ?? ""}, and ${what}`,
        cause: `${order.cause ?? ""}; ${cause}`,
        parts: withLine(order.parts, bytes),
      };
}

function partsOf(sections: readonly PlannedSection[]): ArrangedPart[] {
  return sections.flatMap((section, index) =>
    isMeasured(section) ? [{ ramdisk: section.type === "ramdisk", piece: { section: index } }] : [],
  );
}

const sectionOf = ({ piece }: ArrangedPart): number => ("section" in piece ? piece.section : -1);
const isCmdline = (part: ArrangedPart, sections: readonly PlannedSection[]): boolean =>
  sections[sectionOf(part)]?.type === "cmdline";

/** What a command line may have been instead. */
export interface CmdlineForm {
  readonly what: string;
  /** How that comes about. */
  readonly cause: string;
  readonly bytes: Uint8Array;
}

/** The accidents that people have with a command line, none of them the line itself. */
export function cmdlineForms(cmdline: Uint8Array): CmdlineForm[] {
  const ended = (text: string): Uint8Array => concatBytes(cmdline, utf8(text));
  const forms: CmdlineForm[] = [
    {
      what: "the command line trimmed",
      cause: "nitro-cli trims it; eif_build takes it as it is",
      bytes: trim(cmdline),
    },
    {
      what: "a newline after the command line",
      cause: "the file was taken with its last line end",
      bytes: ended("\n"),
    },
    { what: "a NUL after the command line", cause: "it was taken with its terminator", bytes: ended("\0") },
    {
      what: "a newline and a NUL after the command line",
      cause: "the file was taken with its line end, and terminated",
      bytes: ended("\n\0"),
    },
    { what: "a space after the command line", cause: "a script joined words", bytes: ended(" ") },
    {
      what: "the command line up to its NUL",
      cause: "a tool took it as a C string",
      bytes: untilNul(cmdline),
    },
    { what: "no command line", cause: "an empty file or option", bytes: new Uint8Array() },
    ...KERNEL_LINES.map(([name, line]) => ({
      what: `the ${name} command line that comes with nitro-cli`,
      cause: "built by nitro-cli, or with its blobs",
      bytes: utf8(line),
    })),
  ];
  return forms.filter(({ bytes }) => !equalBytes(bytes, cmdline));
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13);

function trim(bytes: Uint8Array): Uint8Array {
  let [start, end] = [0, bytes.length];
  while (start < end && isSpace(bytes[start])) start++;
  while (end > start && (isSpace(bytes[end - 1]) || bytes[end - 1] === 0)) end--;
  return bytes.subarray(start, end);
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const at = bytes.indexOf(0);
  return at < 0 ? bytes : bytes.subarray(0, at);
}

function orderForms(sections: readonly PlannedSection[], given: readonly ArrangedPart[]): Arrangement[] {
  const names = sectionNames(sections);
  const nameOf = (part: ArrangedPart): string => names[sectionOf(part)] ?? "";
  const ramdisks = given.filter(({ ramdisk }) => ramdisk);
  const replace = (order: readonly ArrangedPart[]): ArrangedPart[] => {
    let next = 0;
    return given.map((part) => (part.ramdisk ? (order[next++] ?? part) : part));
  };
  const aws = [...given].sort((a, b) => rank(a, sections) - rank(b, sections));
  const sorted = aws.some((part, index) => part !== given[index])
    ? [
        {
          what: "kernel, command line and ramdisks in this order",
          cause: "builders write and hash them so",
          parts: aws,
        },
      ]
    : [];
  const swapped = ordersOf(ramdisks).map((order) => ({
    what: `ramdisks in the order ${order.map(nameOf).join(", ")}`,
    cause: "ramdisks are hashed in file order",
    parts: replace(order),
  }));
  const fewer =
    ramdisks.length < 2
      ? []
      : ramdisks.map((left) => ({
          what: `${nameOf(left)} left out`,
          cause: "the image was built with a ramdisk less",
          parts: given.filter((part) => part !== left),
        }));
  return [...sorted, ...swapped, ...fewer];
}

const rank = (part: ArrangedPart, sections: readonly PlannedSection[]): number =>
  ["kernel", "cmdline", "ramdisk"].indexOf(sections[sectionOf(part)]?.type ?? "");

/** Other orders of a list: all of a short one, neighbours swapped of a long one. */
function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length > MAX_PERMUTED)
    return items.slice(1).map((item, index) => items.with(index, item).with(index + 1, items[index] ?? item));
  return permutations(items).slice(1);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

/** What each register hashes of an arrangement. */
export function piecesOf({ parts }: Arrangement, register: "PCR0" | "PCR1" | "PCR2"): Piece[] {
  const first = parts.findIndex(({ ramdisk }) => ramdisk);
  const wanted = parts.filter(({ ramdisk }, index) => {
    if (register === "PCR0") return true;
    const boot = !ramdisk || index === first;
    return register === "PCR1" ? boot : !boot;
  });
  return wanted.map(({ piece }) => piece);
}

/** Bytes that a search for a moved boundary hashes at most: half a second or so. */
const MOVED_BUDGET = 2 ** 28;
/** Archives are padded to this; a boundary that moved did so by a multiple of it, or by a few bytes. */
const BLOCK = 512;
const FAR = 128;
const NEAR = 64;

/**
 * The same bytes, cut into ramdisks elsewhere: PCR0 is equal and PCR1 and PCR2 are not. Ramdisks joined, then the end of
 * the first one moved by blocks and by single bytes, as far as the budget goes.
 */
export function* cutElsewhere(sections: readonly PlannedSection[]): Generator<Arrangement> {
  const given = partsOf(sections);
  const ramdisks = given.filter(({ ramdisk }) => ramdisk);
  for (let count = 2; count <= ramdisks.length; count++) {
    const joined = ramdisks.slice(1, count);
    yield {
      what: `the first ${count} ramdisks as one`,
      cause: "no PCR says where a ramdisk ends",
      parts: given.map((part) => (joined.includes(part) ? { ...part, ramdisk: false } : part)),
    };
  }
  const [first, second] = ramdisks;
  if (first === undefined) return;
  const boot = given.filter(({ ramdisk }) => !ramdisk).reduce((sum, part) => sum + sizeOf(part, sections), 0);
  const tries = Math.floor(MOVED_BUDGET / Math.max(1, boot + sizeOf(first, sections)));
  for (const by of distances().slice(0, tries)) {
    const moved = moveEnd(given, first, second, by, sections);
    if (moved !== undefined)
      yield {
        what: `${Math.abs(by)} bytes moved ${by < 0 ? "out of" : "into"} the first ramdisk`,
        cause: "no PCR says where a ramdisk ends",
        parts: moved,
      };
  }
}

function distances(): number[] {
  const steps = [
    ...Array.from({ length: FAR }, (_, index) => (index + 1) * BLOCK),
    ...Array.from({ length: NEAR }, (_, index) => index + 1),
  ];
  return steps.flatMap((step) => [step, -step]);
}

const sizeOf = (part: ArrangedPart, sections: readonly PlannedSection[]): number =>
  sections[sectionOf(part)]?.size ?? 0;

/** The parts with the end of the first ramdisk moved; undefined where there are no such bytes. */
function moveEnd(
  given: readonly ArrangedPart[],
  first: ArrangedPart,
  second: ArrangedPart | undefined,
  by: number,
  sections: readonly PlannedSection[],
): ArrangedPart[] | undefined {
  const [from, size] = by < 0 ? [first, sizeOf(first, sections) + by] : [second, by];
  if (from === undefined || size <= 0 || size >= sizeOf(from, sections)) return undefined;
  const section = sectionOf(from);
  const head: ArrangedPart = { ramdisk: by < 0, piece: { section, end: size } };
  const tail: ArrangedPart = { ramdisk: true, piece: { section, start: size } };
  return given.flatMap((part) => (part === from ? [head, tail] : [part]));
}
