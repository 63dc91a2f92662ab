/**
 * Two measured direct boots: which of kernel, initrd and command line differ, where, and what people trip over.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { differences } from "../explain/byte-differences.ts";
import type { Finding } from "../explain/explanation.ts";
import { commandLineCause, type KnownPart } from "./command-line-cause.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";

/** Parts of a direct boot, in the order of the kernel hashes table. */
export const BOOT_PARTS = ["cmdline", "initrd", "kernel"] as const;
/** One of them. */
export type BootPart = (typeof BOOT_PARTS)[number];

/** What is known of one side's direct boot. A part that is absent is one that was not given. */
export interface KnownBoot {
  /** Whether the VMM adds the hashes; undefined when nobody says. */
  readonly hashed: boolean | undefined;
  readonly parts: Readonly<Partial<Record<BootPart, KnownPart>>>;
}

const NAMES: Readonly<Record<BootPart, string>> = {
  cmdline: "command line",
  initrd: "initrd",
  kernel: "kernel",
};
const NOTHING = formatHex(sha256(new Uint8Array()));
/** Command lines longer than this are shown around their first difference. */
const MAX_SHOWN = 60;

/** Every difference of two direct boots in words. Those that no register sees have no register. */
export function describeBoots(a: KnownBoot, b: KnownBoot): Finding[] {
  const seen = a.hashed !== false && b.hashed !== false;
  const toggled = a.hashed !== undefined && b.hashed !== undefined && a.hashed !== b.hashed;
  const swap = describeSwap(a, b);
  const parts = swap === undefined ? BOOT_PARTS : (["cmdline"] as const);
  const found = [
    ...(swap === undefined ? [] : [swap]),
    ...parts.flatMap((part) => describePart(part, a.parts[part], b.parts[part])),
  ];
  const findings = seen ? found.map((finding) => ({ ...finding, register: LAUNCH_DIGEST })) : found;
  // Which files one side has is the same news as whether their hashes are there.
  return toggled
    ? [describeToggle(a, b), ...findings.filter(({ subject }) => isGiven(subject, a, b))]
    : findings;
}

function isGiven(subject: string, a: KnownBoot, b: KnownBoot): boolean {
  const part = BOOT_PARTS.find((name) => name === subject);
  return part === undefined || (a.parts[part] !== undefined && b.parts[part] !== undefined);
}

function describeToggle(a: KnownBoot, b: KnownBoot): Finding {
  const state = ({ hashed, parts }: KnownBoot): string =>
    hashed === true
      ? "measured"
      : parts.kernel === undefined
        ? "no kernel measured"
        : "off (kernel-hashes=off)";
  return {
    subject: "kernelHashes",
    what: "only one side measures the hashes of kernel, initrd and command line",
    a: state(a),
    b: state(b),
    details: [
      "where they are measured, the SNP_KERNEL_HASHES page is NORMAL with the table in it; elsewhere it is ZERO",
      "QEMU adds the table with kernel-hashes=on and -kernel",
    ],
    register: LAUNCH_DIGEST,
  };
}

function describeSwap(a: KnownBoot, b: KnownBoot): Finding | undefined {
  const [kernel, initrd] = [a.parts.kernel, a.parts.initrd];
  if (kernel === undefined || initrd === undefined || kernel.sha256 === initrd.sha256) return undefined;
  if (b.parts.kernel?.sha256 !== initrd.sha256 || b.parts.initrd?.sha256 !== kernel.sha256) return undefined;
  return {
    subject: "kernel",
    what: "kernel and initrd are swapped",
    a: `kernel ${kernel.sha256}`,
    b: `initrd ${kernel.sha256}`,
    details: [`A's initrd ${initrd.sha256} is B's kernel`],
  };
}

function describePart(part: BootPart, a: KnownPart | undefined, b: KnownPart | undefined): Finding[] {
  // An absent part and an empty one measure the same.
  const [one, other] = [a?.sha256 ?? NOTHING, b?.sha256 ?? NOTHING];
  if (one === other) return [];
  const name = NAMES[part];
  const cause = part === "cmdline" ? commandLineCause(a, b) : undefined;
  const what =
    a === undefined || b === undefined
      ? `only ${a === undefined ? "B" : "A"} has ${part === "initrd" ? "an" : "a"} ${name}`
      : `the ${name} differs${cause === undefined ? "" : `: ${cause}`}`;
  return [
    {
      subject: part,
      what,
      ...shownValues(part, a, b),
      details: [...byteDetails(a, b), ...hashDetails(a, b)],
    },
  ];
}

function shownValues(
  part: BootPart,
  a: KnownPart | undefined,
  b: KnownPart | undefined,
): { a?: string; b?: string } {
  if (part === "cmdline") return { a: shownText(a, b), b: shownText(b, a) };
  return { a: shownFile(a), b: shownFile(b) };
}

const shownFile = (part: KnownPart | undefined): string =>
  part === undefined
    ? "none"
    : `${part.size === undefined ? "" : `${part.size} bytes, `}sha256 ${part.sha256}`;

function shownText(part: KnownPart | undefined, other: KnownPart | undefined): string {
  if (part === undefined) return "none";
  const { bytes } = part;
  if (bytes === undefined) return shownFile(part);
  if (bytes.length <= MAX_SHOWN) return quoted(bytes);
  const at = other?.bytes === undefined ? 0 : (firstDifferent(bytes, other.bytes) ?? 0);
  const start = Math.max(0, Math.min(at - MAX_SHOWN / 2, bytes.length - MAX_SHOWN));
  const cut = quoted(bytes.subarray(start, start + MAX_SHOWN));
  return `${start > 0 ? "..." : ""}${cut}${start + MAX_SHOWN < bytes.length ? "..." : ""}`;
}

/** Bytes as a quoted text that shows every one that is no printable ASCII. */
function quoted(bytes: Uint8Array): string {
  const shown = Array.from(bytes, (byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : (ESCAPES[byte] ?? `\\x${byte.toString(16).padStart(2, "0")}`);
  });
  return `"${shown.join("")}"`;
}

const ESCAPES: Readonly<Record<number, string>> = {
  0x09: "\\t",
  0x0a: "\\n",
  0x0d: "\\r",
  0x22: '\\"',
  0x5c: "\\\\",
};

function byteDetails(a: KnownPart | undefined, b: KnownPart | undefined): string[] {
  if (a?.bytes === undefined || b?.bytes === undefined) return [];
  const at = firstDifferent(a.bytes, b.bytes) ?? 0;
  const ends = at === Math.min(a.bytes.length, b.bytes.length);
  const place = `first differing byte: offset 0x${at.toString(16)}`;
  const count = differences(a.bytes, b.bytes)?.count ?? 0;
  const sizes =
    a.bytes.length === b.bytes.length
      ? `${count} differ in all`
      : `sizes ${a.bytes.length} and ${b.bytes.length} bytes`;
  return [
    ends
      ? `one is the beginning of the other: ${sizes}`
      : `${place}, ${byteAt(a.bytes, at)} and ${byteAt(b.bytes, at)}; ${sizes}`,
  ];
}

function hashDetails(a: KnownPart | undefined, b: KnownPart | undefined): string[] {
  return [`sha256 ${a?.sha256 ?? `${NOTHING} (of nothing)`} and ${b?.sha256 ?? `${NOTHING} (of nothing)`}`];
}

function firstDifferent(a: Uint8Array, b: Uint8Array): number | undefined {
  const found = differences(a, b)?.first;
  return found ?? (a.length === b.length ? undefined : Math.min(a.length, b.length));
}

const byteAt = (bytes: Uint8Array, offset: number): string =>
  `0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`;
