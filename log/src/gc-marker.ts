/**
 * What the collector of partial tiles remembers between two runs: how far it has come, and which sizes were public when.
 * Form: the line below, `collected <size>`, then `public <size> <seconds since 1970>` for each, oldest first.
 * @module
 */
import { parseDecimal, ParseError, parseUtf8, quote, utf8 } from "@bootproof/bytes";

const FIRST_LINE = "bootproof.log/gc@v1";
const MAX_SIZE = 2n ** 63n - 1n;
/** How often in the time that partial tiles are kept a size is noted. */
const NOTES = 60;

/** A size that was public at a time. */
export interface PublicSize {
  readonly size: bigint;
  /** Seconds since 1970. */
  readonly time: number;
}

/** How far the collector has come. */
export interface GcMarker {
  /** Tiles that were full at this size have no partial ones any more. */
  readonly collected: bigint;
  readonly seen: readonly PublicSize[];
}

/** Before the first run. */
export const NOTHING_COLLECTED: GcMarker = { collected: 0n, seen: [] };

/** The largest size that has been public for at least `keep` seconds. */
export function sizeOlderThan({ seen }: GcMarker, now: number, keep: number): bigint {
  return seen.reduce(
    (largest, { size, time }) => (time <= now - keep && size > largest ? size : largest),
    0n,
  );
}

/** Notes that `size` is public now, and forgets sizes that no later run will ask for. */
export function noteSize(marker: GcMarker, size: bigint, now: number, keep: number): GcMarker {
  const horizon = sizeOlderThan(marker, now, keep);
  const seen = marker.seen.filter((known) => known.size >= horizon);
  const last = seen.at(-1);
  const isNew = last === undefined || (size > last.size && now - last.time >= keep / NOTES);
  return { ...marker, seen: isNew ? [...seen, { size, time: now }] : seen };
}

/** The bytes of a marker. */
export function formatGcMarker({ collected, seen }: GcMarker): Uint8Array<ArrayBuffer> {
  const lines = seen.map(({ size, time }) => `public ${size} ${time}\n`);
  return utf8(`${FIRST_LINE}\ncollected ${collected}\n${lines.join("")}`);
}

/** Parses a marker; throws {@link ParseError}. */
export function parseGcMarker(bytes: Uint8Array): GcMarker {
  const [first, collected = "", ...lines] = parseUtf8(bytes, "gc marker").split("\n");
  if (first !== FIRST_LINE || lines.pop() !== "")
    throw new ParseError("BAD_MAGIC", "gc marker", { expected: FIRST_LINE, found: quote(first ?? "") });
  return {
    collected: number(/^collected (.*)$/.exec(collected)?.[1], MAX_SIZE),
    seen: lines.map((line) => {
      const [, size, time] = /^public ([^ ]*) ([^ ]*)$/.exec(line) ?? [];
      return { size: number(size, MAX_SIZE), time: Number(number(time, BigInt(Number.MAX_SAFE_INTEGER))) };
    }),
  };
}

const number = (text: string | undefined, max: bigint): bigint =>
  parseDecimal(text ?? "", "gc marker number", max);
