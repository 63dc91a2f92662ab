/**
 * Flash drives: unit 0 holds the firmware, unit 1 its variables. Given by -pflash, -drive if=pflash, or -blockdev with
 * -machine pflash0= and pflash1=.
 * @module
 */
import type { Properties } from "./key-values.ts";
import { parseNumber } from "./values.ts";

/** The file behind a flash drive, and what keeps its bytes from being the file's. */
export interface FlashFile {
  readonly path: string | undefined;
  readonly obstacle?: string;
}

const MAX_UNITS = 64n;
/** More references than any block graph has. */
const MAX_LINKS = 16;

/** Files of -pflash and -drive if=pflash by unit; drives without a unit take the first free one, in order. */
export function driveFlash(drives: readonly Properties[]): ReadonlyMap<number, FlashFile> {
  const units = new Map<number, FlashFile>();
  for (const drive of drives) {
    const place = drive.get("unit") ?? drive.get("index");
    let unit = place === undefined ? 0 : Number(parseNumber(place, "-drive unit", MAX_UNITS));
    if (place === undefined) while (units.has(unit)) unit++;
    units.set(unit, driveFile(drive));
  }
  return units;
}

function driveFile(drive: Properties): FlashFile {
  const path = drive.get("file") ?? drive.get("file.filename");
  const format = drive.get("format") ?? drive.get("driver") ?? "raw";
  return format === "raw" ? { path } : { path, obstacle: `format ${format}` };
}

/** The file behind a node of -blockdev. */
export function blockdevFile(nodes: ReadonlyMap<string, Properties>, name: string): FlashFile {
  let properties = nodes.get(name);
  for (let links = 0; properties !== undefined && links < MAX_LINKS; links++) {
    const driver = properties.get("driver");
    if (driver === "file" || driver === "host_device") return { path: properties.get("filename") };
    if (driver !== "raw")
      return { path: properties.get("file.filename"), obstacle: `driver ${driver ?? "unknown"}` };
    if (properties.has("offset") || properties.has("size"))
      return { path: properties.get("file.filename"), obstacle: "a part of the file" };
    properties = child(nodes, properties);
  }
  return { path: undefined, obstacle: `no node ${name}` };
}

/** What a raw node reads from: a node by name, or one written inside. */
function child(nodes: ReadonlyMap<string, Properties>, parent: Properties): Properties | undefined {
  const reference = parent.get("file");
  if (reference !== undefined) return nodes.get(reference);
  const inside = [...parent].flatMap(([key, value]): [string, string][] =>
    key.startsWith("file.") ? [[key.slice("file.".length), value]] : [],
  );
  return inside.length === 0 ? undefined : new Map(inside);
}
