/**
 * A file tree as text, for keeping in the store: one line an entry, sorted by path, tab between fields.
 * @module
 */
import { parseDecimal, ParseError, parseUtf8, quote, utf8 } from "@bootproof/bytes";
import { compareNames, type Tree, type TreeEntry } from "./tree.ts";

const HEADER = "bootproof tree 1";

/** Writes a tree. */
export function formatTree(tree: Tree): Uint8Array<ArrayBuffer> {
  const lines = [...tree]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([path, entry]) => `${formatEntry(entry)}\t${path}\n`);
  return utf8(`${HEADER}\n${lines.join("")}`);
}

function formatEntry(entry: TreeEntry): string {
  switch (entry.type) {
    case "directory":
      return "d";
    case "symlink":
      return `l\t${entry.target}`;
    case "file":
      return `${entry.executable ? "x" : "f"}\t${entry.sha256}\t${entry.size}`;
  }
}

/** Reads what {@link formatTree} wrote; throws {@link ParseError} for anything else. */
export function parseTree(bytes: Uint8Array): Tree {
  const lines = parseUtf8(bytes, "tree").split("\n");
  if (lines[0] !== HEADER || lines.at(-1) !== "")
    throw new ParseError("BAD_MAGIC", "tree", { expected: HEADER, found: quote(lines[0] ?? "") });
  const tree = new Map<string, TreeEntry>();
  let last = "";
  for (const line of lines.slice(1, -1)) {
    const [path, entry] = parseLine(line);
    if (compareNames(last, path) >= 0)
      throw new ParseError("NOT_CANONICAL", "tree", { expected: "paths in order", found: quote(path) });
    tree.set(path, entry);
    last = path;
  }
  return tree;
}

function parseLine(line: string): [string, TreeEntry] {
  const fields = line.split("\t");
  const [kind, first = "", second = "", third = ""] = fields;
  if (kind === "d" && fields.length === 2) return [first, { type: "directory" }];
  if (kind === "l" && fields.length === 3) return [second, { type: "symlink", target: first }];
  if ((kind === "f" || kind === "x") && fields.length === 4 && /^[0-9a-f]{64}$/.test(first)) {
    const size = Number(parseDecimal(second, "tree file size", BigInt(Number.MAX_SAFE_INTEGER)));
    return [third, { type: "file", sha256: first, size, executable: kind === "x" }];
  }
  throw new ParseError("OUT_OF_RANGE", "tree entry", { found: quote(line) });
}
