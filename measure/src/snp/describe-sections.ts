/**
 * Two lists of SEV metadata sections: what moved, grew, changed its type or its place in the order.
 * @module
 */
import type { Finding } from "../explain/explanation.ts";

/** A section as a metadata descriptor or a trace shows it. */
export interface ComparedSection {
  readonly index: number;
  /** Name of its type. */
  readonly type: string;
  readonly guestAddress: number;
  readonly size: number;
}

/** Images have seven; a trace of a stranger may have thousands. */
const MAX_FINDINGS = 32;

/** The differences of two section lists in words, in descriptor order. */
export function describeSections(a: readonly ComparedSection[], b: readonly ComparedSection[]): Finding[] {
  if (list(a) === list(b)) return [];
  if (sorted(a) === sorted(b)) return [otherOrder(a, b)];
  const pairs = pairUp(a, b);
  const told = pairs.slice(0, MAX_FINDINGS).map(([one, other]) => describePair(one, other));
  const more = pairs.length - told.length;
  const rest = { subject: "section", what: `${more} more SEV metadata sections differ`, details: [] };
  return more === 0 ? told : [...told, rest];
}

type Pair = readonly [ComparedSection | undefined, ComparedSection | undefined];

const key = ({ type, guestAddress, size }: ComparedSection): string => `${guestAddress} ${size} ${type}`;
const list = (sections: readonly ComparedSection[]): string => sections.map(key).join("\n");
const sorted = (sections: readonly ComparedSection[]): string => sections.map(key).sort().join("\n");
const position = ([a, b]: Pair): number => a?.index ?? b?.index ?? 0;

/** Lists of one length pair by position; others by equality, then by type, and what is left stands alone. */
function pairUp(a: readonly ComparedSection[], b: readonly ComparedSection[]): Pair[] {
  if (a.length === b.length)
    return a
      .map((section, index): Pair => [section, b[index]])
      .filter(([one, other]) => other === undefined || one === undefined || key(one) !== key(other));
  const [left, right] = [without(a, b), without(b, a)];
  const waiting = Map.groupBy(right.toReversed(), ({ type }) => type);
  const pairs = left.map((section): Pair => [section, waiting.get(section.type)?.pop()]);
  const alone = [...waiting.values()].flat().map((section): Pair => [undefined, section]);
  return [...pairs, ...alone].sort((one, other) => position(one) - position(other));
}

/** The sections of one list that have no equal in the other. */
function without(
  sections: readonly ComparedSection[],
  others: readonly ComparedSection[],
): ComparedSection[] {
  const counts = new Map<string, number>();
  for (const other of others) counts.set(key(other), (counts.get(key(other)) ?? 0) + 1);
  return sections.filter((section) => {
    const count = counts.get(key(section)) ?? 0;
    counts.set(key(section), count - 1);
    return count <= 0;
  });
}

function describePair(a: ComparedSection | undefined, b: ComparedSection | undefined): Finding {
  const section = a ?? b;
  if (section === undefined) throw new RangeError("a pair without sections");
  const subject = "section";
  if (a === undefined || b === undefined) {
    const side = a === undefined ? "B" : "A";
    const what = `only ${side} has ${name(section)}, ${extent(section)}`;
    return { subject, what, details: [] };
  }
  const changes = [
    a.type !== b.type && ["type", a.type, b.type],
    a.guestAddress !== b.guestAddress && ["guest address", hex(a.guestAddress), hex(b.guestAddress)],
    a.size !== b.size && ["size", hex(a.size), hex(b.size)],
  ].filter((change) => change !== false);
  const [[field = "", one = "", other = ""] = []] = changes;
  const verb = changes.length > 1 ? "differs" : field === "size" ? "is resized" : `has another ${field}`;
  return {
    subject,
    what: `${name(a)} ${verb}`,
    a: changes.length > 1 ? `${a.type}, ${extent(a)}` : one,
    b: changes.length > 1 ? `${b.type}, ${extent(b)}` : other,
    details: changes.length > 1 ? changes.map(([what, left, right]) => `${what}: ${left} and ${right}`) : [],
  };
}

function otherOrder(a: readonly ComparedSection[], b: readonly ComparedSection[]): Finding {
  const from = a.findIndex((section, index) => {
    const other = b[index];
    return other === undefined || key(section) !== key(other);
  });
  const [one, other] = [a[from], b[from]];
  return {
    subject: "section",
    what: `the SEV metadata sections stand in another order, from position ${from} on`,
    a: one === undefined ? "none" : placed(one),
    b: other === undefined ? "none" : placed(other),
    details: [
      "pages are measured in descriptor order, never by address",
      `A: ${a.map(placed).join(", ")}`,
      `B: ${b.map(placed).join(", ")}`,
    ],
  };
}

const name = ({ index, type }: ComparedSection): string => `SEV metadata section ${index} (${type})`;
// Several sections have one type: only their addresses tell them apart.
const placed = ({ type, guestAddress }: ComparedSection): string => `${type} at ${hex(guestAddress)}`;
const extent = ({ guestAddress, size }: ComparedSection): string =>
  `${hex(size)} bytes at guest address ${hex(guestAddress)}`;
const hex = (value: number): string => `0x${value.toString(16)}`;
