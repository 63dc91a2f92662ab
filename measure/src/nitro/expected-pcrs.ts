/**
 * Expected PCRs as people have them: `PCR0=...`, or the JSON that nitro-cli, eif_build and `measure` print. Zeros are refused: they
 * are what every enclave in debug mode reports.
 * @module
 */
import { ParseError, parseStrictJson, quote, utf8 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";

/** Expected values by register, lower-case hex: never empty, never zero. */
export type ExpectedPcrs = Readonly<Record<string, string>>;

/** Longer than any tool's output; describe-enclaves repeats the metadata. */
const MAX_BYTES = 2 ** 21;
const NAME = /^PCR(?:[0-9]|[12][0-9]|3[01])$/;
const VALUE = /^[0-9a-f]{96}$/;
const ZERO = /^0+$/;

/**
 * Reads `PCR0=<hex>` pairs (between commas, spaces or lines) or a JSON document; throws {@link MeasureError} for text
 * without values, for values of another size, for one register twice and for zeros.
 */
export function parseExpectedPcrs(text: string): ExpectedPcrs {
  return readPcrs(text, checkValue);
}

/**
 * Reads what a machine or a tool reported, in the same forms. Zeros are what debug mode reports, and other sizes what
 * eif_build prints with another hash; throws {@link MeasureError} for anything else.
 */
export function parseObservedPcrs(text: string): Readonly<Record<string, string>> {
  return readPcrs(text, checkObserved);
}

function readPcrs(text: string, check: (register: string, text: string) => string): Record<string, string> {
  const pairs = /^\s*[[{]/.test(text) ? pairsOfJson(text, check === checkObserved) : pairsOfText(text);
  if (pairs.length === 0) throw unreadable("no PCRs", "PCR0=<96 hex digits>, or Measurements in JSON", text);
  const expected = new Map<string, string>();
  for (const [name, value] of pairs) {
    const register = name.toUpperCase();
    if (!NAME.test(register)) throw unreadable(`${quote(name)} is no PCR`, "PCR0 to PCR31", name);
    if (expected.has(register)) throw unreadable(`${register} is given twice`, "each PCR once", name);
    expected.set(register, check(register, value));
  }
  return Object.fromEntries(expected);
}

const hexOf = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^(?:0x|sha384[:-])/, "");

function checkObserved(register: string, text: string): string {
  const value = hexOf(text);
  if (/^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/.test(value)) return value;
  throw unreadable(`${register} is no digest`, "96 hex digits (SHA-384)", value);
}

function checkValue(register: string, text: string): string {
  const value = hexOf(text);
  if (ZERO.test(value))
    throw new MeasureError("BP-NITRO-004", `the expected ${register} is all zero`, {
      expected: `the ${register} of an image`,
      found: "zeros, which every enclave in debug mode reports",
      hint: "take the values from the image, not from an enclave that runs in debug mode",
    });
  if (VALUE.test(value)) return value;
  const other = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/.test(value);
  throw unreadable(
    other
      ? `${register} has the size of another hash: eif_build --algo prints what no enclave reports`
      : `${register} is not 96 hex digits`,
    "96 hex digits (SHA-384)",
    value,
  );
}

function pairsOfText(text: string): [string, string][] {
  const words = text.split(/[\s,;]+/).filter((word) => word !== "");
  return words.map((word) => {
    const [, name, value] = /^([A-Za-z]+[0-9]+)[=:](.+)$/.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw unreadable("not an expected PCR", "PCR0=<96 hex digits>", word);
    return [name, value];
  });
}

/**
 * `{"Measurements": {"HashAlgorithm": "...", "PCR0": "..."}}` or what is in it (the algorithm is text for people), the
 * list of one that describe-enclaves prints, or `registers` of our own documents, where PCR8 of zeros is an image that is
 * not signed, and nothing to expect.
 */
function pairsOfJson(text: string, zeros: boolean): [string, string][] {
  const value = parseJson(text);
  const many = Array.isArray(value) ? (value as unknown[]) : [value];
  if (many.length !== 1)
    throw unreadable(`the JSON tells of ${many.length} enclaves`, "the PCRs of one", text);
  const document = record(many[0]);
  const key = ["Measurements", "registers"].find((name) => Object.hasOwn(document, name));
  const inner = key === undefined ? document : record(document[key]);
  return Object.entries(inner)
    .filter(([name]) => /^PCR[0-9]/i.test(name))
    .filter(([name, found]) => zeros || key !== "registers" || name !== "PCR8" || !/^0+$/.test(String(found)))
    .map(([name, value]) => {
      if (typeof value !== "string")
        throw unreadable(`${quote(name)} is no text`, "96 hex digits", typeof value);
      return [name, value];
    });
}

function parseJson(text: string): unknown {
  try {
    return parseStrictJson(utf8(text), "expected PCRs", MAX_BYTES);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw unreadable("the expected PCRs are no JSON", "what nitro-cli prints", error.message);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw unreadable("the expected PCRs are no object", '{"Measurements": {"PCR0": "..."}}', typeof value);
}

function unreadable(message: string, expected: string, found: string): MeasureError {
  return new MeasureError("BP-NITRO-003", message, { expected, found: quote(found.slice(0, 140)) });
}

/** A PCR that is not as expected. */
export interface UnexpectedPcr {
  readonly register: string;
  readonly expected: string;
  /** Undefined when nothing is known of the register. */
  readonly found: string | undefined;
}

/** Whether PCRs are as expected. */
export interface PcrComparison {
  /** `debug`: all of the image's registers are zero, which is no match of anything. */
  readonly answer: "yes" | "no" | "debug" | "undecided";
  readonly differ: readonly UnexpectedPcr[];
  /** PCR0, PCR1 and PCR2 that nobody expects anything of: a pin on fewer is a hole. */
  readonly unpinned: readonly string[];
}

/** Compares registers with expected values; a register that is not known makes it undecided, never yes. */
export function comparePcrs(expected: ExpectedPcrs, found: Readonly<Record<string, string>>): PcrComparison {
  const unpinned = IMAGE_PCRS.filter((name) => expected[name] === undefined);
  const differ = Object.entries(expected)
    .filter(([register, value]) => found[register] !== value)
    .map(([register, value]) => ({ register, expected: value, found: found[register] }));
  if (isDebug(found)) return { answer: "debug", differ, unpinned };
  const known = differ.filter((pcr) => pcr.found !== undefined);
  if (known.length > 0) return { answer: "no", differ, unpinned };
  return { answer: differ.length > 0 ? "undecided" : "yes", differ, unpinned };
}

const IMAGE_PCRS = ["PCR0", "PCR1", "PCR2"];

/** Whether registers are those of an enclave in debug mode: PCR0, PCR1 and PCR2 are zero. */
export const isDebug = (registers: Readonly<Record<string, string>>): boolean =>
  IMAGE_PCRS.every((name) => ZERO.test(registers[name] ?? "1"));
