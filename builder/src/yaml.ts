/**
 * The one door to YAML: version 1.2, core schema, no aliases, no repeated keys, no tags, one
 * document; and a place (line and column) for every path in it.
 * @module
 */
import { isAlias, isMap, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from "yaml";

/** A problem at a place in a YAML text. */
export interface YamlProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Keys from the root of a document to a value. */
export type YamlPath = readonly (string | number)[];

/** The value of a YAML text, and where each part of it stands. */
export interface YamlValue {
  readonly value: unknown;
  /** Where the value at `path` begins; with `key`, where its key does; the nearest parent when it is absent. */
  place(path: YamlPath, key?: boolean): { readonly line: number; readonly column: number };
}

// Object keys that plain JavaScript objects treat specially; no format of ours has them.
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Problems that are listed one by one. */
const MAX_SHOWN = 20;

/** Reads one YAML document; returns its value, or the problems found. */
export function readYaml(text: string): YamlValue | readonly YamlProblem[] {
  const lines = new LineCounter();
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
      logLevel: "error",
      lineCounter: lines,
    });
    const problems = [...findProblems(document)].map(({ offset, message }) => ({ ...at(offset), message }));
    if (problems.length > 0) return fewest(problems);
    return {
      value: document.toJS({ maxAliasCount: 0 }) as unknown,
      place: (path, key = false) => at(offsetOf(document, path, key)),
    };
  } catch (error) {
    // The library's composer is recursive: a text of brackets only ends its stack.
    if (error instanceof RangeError) return [{ line: 1, column: 1, message: "nested too deeply" }];
    throw error;
  }
}

/** As many problems as somebody reads; a parser that ran out of stack says nothing else worth reading. */
function fewest(problems: readonly YamlProblem[]): readonly YamlProblem[] {
  const overflow = problems.find(({ message }) => /call stack|stack overflow/i.test(message));
  if (overflow !== undefined) return [{ ...overflow, message: "nested too deeply" }];
  const [shown, left] = [problems.slice(0, MAX_SHOWN), problems.slice(MAX_SHOWN)];
  const more = left[0] === undefined ? [] : [{ ...left[0], message: `and ${left.length} more problems` }];
  return [...shown, ...more];
}

function* findProblems(document: Document.Parsed): Generator<{ offset: number; message: string }> {
  for (const { pos, message } of [...document.errors, ...document.warnings])
    yield { offset: pos[0], message: sentence(message) };
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Node(_, node) {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) found.push({ offset, message: "aliases are not allowed; write the value again" });
      else if (node.anchor !== undefined)
        found.push({ offset, message: "anchors are not allowed; write the value again" });
      if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:"))
        found.push({ offset, message: `unknown tag ${node.tag}` });
    },
    Pair(_, pair) {
      const key = scalarText(pair.key);
      if (key !== undefined && FORBIDDEN_KEYS.has(key))
        found.push({ offset: offsetOfNode(pair.key) ?? 0, message: `the key ${key} is not allowed` });
    },
  });
  yield* found;
}

/** Lower case at the start, no full stop: how this project writes errors. */
const sentence = (message: string): string =>
  (message.charAt(0).toLowerCase() + message.slice(1)).replace(/\.$/, "");

function offsetOf(document: Document.Parsed, path: YamlPath, key: boolean): number {
  let node: unknown = document.contents;
  let offset = offsetOfNode(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const child = childOf(node, step);
    if (child === undefined) break;
    const last = depth === path.length - 1;
    offset =
      (key && last ? child.keyOffset : undefined) ?? offsetOfNode(child.node) ?? child.keyOffset ?? offset;
    node = child.node;
  }
  return offset;
}

function childOf(
  node: unknown,
  step: string | number,
): { node: unknown; keyOffset: number | undefined } | undefined {
  if (isSeq(node)) return { node: node.items[Number(step)], keyOffset: undefined };
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => scalarText(item.key) === String(step));
  return pair === undefined ? undefined : { node: pair.value, keyOffset: offsetOfNode(pair.key) };
}

const offsetOfNode = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];

function scalarText(key: unknown): string | undefined {
  const value: unknown = typeof key === "object" && key !== null && "value" in key ? key.value : key;
  return typeof value === "string" ? value : undefined;
}
