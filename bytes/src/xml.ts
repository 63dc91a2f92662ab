/**
 * The one door to @rgrove/parse-xml: a small tree of elements, from XML that declares no document type. The library
 * expands no declared entities and loads nothing; depth is checked before it recurses.
 * @module
 */
import {
  parseXml as parseDocument,
  XmlElement as LibraryElement,
  XmlError,
  XmlText,
} from "@rgrove/parse-xml";

import { ParseError } from "./parse-error.ts";
import { utf8 } from "./utf8.ts";

/** An element with its attributes; names keep their prefixes. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All text inside, exact, as XPath's string() has it. */
  readonly text: string;
}

/** The largest domains that libvirt prints have some 200 KiB, a page of a bucket's list of 500 keys some 700. */
const MAX_XML = 1024 * 1024;
/** libvirt's schema needs a dozen levels, and S3's answers four. */
const MAX_DEPTH = 64;

/** Reads the root element of an XML text; throws {@link ParseError}. */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_XML)
    throw new ParseError("TOO_LARGE", "XML", {
      offset: 0,
      expected: `at most ${MAX_XML} characters`,
      found: `${text.length}`,
    });
  checkMarkup(text);
  try {
    const { root } = parseDocument(text);
    if (root === null) throw new ParseError("MISSING", "XML", { expected: "a root element" });
    return convert(root);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const [first = ""] = error.message.split("\n");
    throw new ParseError("BAD_ENCODING", "XML", {
      offset: byteOffset(text, error.pos),
      expected: "well-formed XML",
      found: first,
    });
  }
}

const byteOffset = (text: string, at: number): number => utf8(text.slice(0, at)).length;

function convert(element: LibraryElement): XmlElement {
  const children: XmlElement[] = [];
  let text = "";
  for (const child of element.children) {
    if (child instanceof XmlText) text += child.text;
    if (!(child instanceof LibraryElement)) continue;
    const converted = convert(child);
    children.push(converted);
    text += converted.text;
  }
  return { name: element.name, attributes: element.attributes, children, text };
}

/** Where markup that may hold `<` in plain text ends. */
const OPAQUE: readonly (readonly [string, string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
];

/** Refuses document types, and more levels than the library should recurse through. */
function checkMarkup(text: string): void {
  let depth = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const opaque = OPAQUE.find(([start]) => text.startsWith(start, at));
    if (opaque !== undefined) {
      const end = text.indexOf(opaque[1], at + opaque[0].length);
      if (end < 0) return;
      at = end;
      continue;
    }
    if (text.startsWith("<!", at))
      throw new ParseError("UNSUPPORTED", "XML", {
        offset: byteOffset(text, at),
        expected: "no document type and no entities",
        found: text.slice(at, at + 9),
      });
    const end = endOfTag(text, at);
    if (text.startsWith("</", at)) depth--;
    else if (text.charAt(end - 1) !== "/") depth++;
    if (depth > MAX_DEPTH)
      throw new ParseError("TOO_LARGE", "XML", {
        offset: byteOffset(text, at),
        expected: `at most ${MAX_DEPTH} levels`,
      });
    at = end;
  }
}

/** The `>` that ends a tag; one in an attribute's quotes does not. */
function endOfTag(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === ">") return at;
    if (char !== '"' && char !== "'") continue;
    const close = text.indexOf(char, at + 1);
    if (close < 0) return text.length;
    at = close;
  }
  return text.length;
}
