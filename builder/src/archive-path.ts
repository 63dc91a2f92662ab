/**
 * Paths and link targets out of packages: every one is refused or becomes a plain path below the root, with merged
 * /usr applied by name alone, so that unpacking never has to follow a link.
 * @module
 */
import { ParseError, quote } from "@bootproof/bytes";

/** The top-level links of a merged-/usr system; each leads to the directory of that name in usr. */
export const MERGED_USR: readonly string[] = ["bin", "lib", "lib64", "sbin"];

const MAX_PATH = 4096; // PATH_MAX
const MAX_NAME = 255; // NAME_MAX

/** The path below the root that an entry's name means ("" is the root itself); throws {@link ParseError}. */
export function parseArchivePath(name: string, field = "path"): string {
  const refuse = (expected: string): never => {
    throw new ParseError("OUT_OF_RANGE", field, { expected, found: quote(name) });
  };
  if (Buffer.byteLength(name) > MAX_PATH) refuse(`at most ${MAX_PATH} bytes`);
  if (name.startsWith("/")) refuse("a relative path");
  // U+FFFD is what the tar reader makes of bytes that are not UTF-8: two names could become one.
  if (/[\0-\x1f\x7f\ufffd]/.test(name)) refuse("UTF-8 without control characters");
  const bare = name.replace(/^\.(?:\/|$)/, "").replace(/\/$/, "");
  if (bare === "") return name === "" ? refuse("a name") : "";
  for (const part of bare.split("/")) {
    if (part === "" || part === "." || part === "..") refuse("no empty name, . or ..");
    if (Buffer.byteLength(part) > MAX_NAME) refuse(`names of at most ${MAX_NAME} bytes`);
  }
  return mergeUsr(bare);
}

/** Moves a path below bin, sbin, lib or lib64 into usr; the top-level name itself too. */
export function mergeUsr(path: string): string {
  const [top = ""] = path.split("/", 1);
  return MERGED_USR.includes(top) ? `usr/${path}` : path;
}

/**
 * The target that a link at `path` gets: absolute ones become relative to the root, which a remote worker needs too.
 * Throws {@link ParseError} when it would climb out of the root.
 */
export function parseLinkTarget(path: string, target: string): string {
  const refuse = (expected: string): never => {
    throw new ParseError("OUT_OF_RANGE", "link target", { expected, found: `${path} -> ${quote(target)}` });
  };
  if (target === "" || Buffer.byteLength(target) > MAX_PATH || /[\0-\x1f\x7f\ufffd]/.test(target))
    refuse("a path in UTF-8 without control characters");
  const depth = path.split("/").length - 1;
  if (target.startsWith("/")) {
    const bare = target.split("/").filter((part) => part !== "" && part !== ".");
    if (bare.includes("..")) refuse("an absolute target without ..");
    return [...Array<string>(depth).fill(".."), ...bare].join("/") || ".";
  }
  let height = depth;
  for (const part of target.split("/")) {
    if (part === "..") height--;
    else if (part !== "" && part !== ".") height++;
    if (height < 0) refuse("a target inside the root");
  }
  return target;
}
