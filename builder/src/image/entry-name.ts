/**
 * Names of a layer's entries: bytes, of which only `/` and NUL mean something to Linux. A leading `/` and `./` are
 * dropped, as every runtime does; `..` is refused, where runtimes differ (docker refuses, containerd and umoci stop at
 * the root).
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { type ByteText, show } from "./byte-text.ts";
import { partsOf } from "./tree-place.ts";

const MAX_PATH = 4095; // PATH_MAX without its NUL
const MAX_NAME = 255; // NAME_MAX

/** Parts of the path below the root, none for the root itself; throws {@link ParseError}. */
export function parseEntryName(name: ByteText, field = "name"): ByteText[] {
  const refuse = (expected: string): never => {
    throw new ParseError("OUT_OF_RANGE", field, { expected, found: show(name) });
  };
  if (name === "") refuse("a name");
  if (name.length > MAX_PATH) refuse(`at most ${MAX_PATH} bytes`);
  if (name.includes("\0")) refuse("no NUL");
  const parts = partsOf(name);
  for (const part of parts) {
    if (part === "..") refuse("no ..");
    if (part.length > MAX_NAME) refuse(`names of at most ${MAX_NAME} bytes`);
  }
  return parts;
}

/** A symbolic link's target, which is kept as it is; throws {@link ParseError} for one that Linux could not hold. */
export function parseSymlinkTarget(target: ByteText): ByteText {
  if (target === "" || target.length > MAX_PATH || target.includes("\0"))
    throw new ParseError("OUT_OF_RANGE", "target of a symbolic link", {
      expected: `1 to ${MAX_PATH} bytes without NUL`,
      found: show(target),
    });
  return target;
}
