/**
 * Pages of malformed input, and the stable code of each way a parser refuses bytes.
 * @module
 */
import type { ParseErrorCode } from "@bootproof/bytes";

import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

/** The stable code for each code of a ParseError. */
export const PARSE_CODES: Readonly<Record<ParseErrorCode, string>> = {
  TRUNCATED: "BP-PARSE-001",
  BAD_MAGIC: "BP-PARSE-002",
  OUT_OF_RANGE: "BP-PARSE-003",
  NOT_ZERO: "BP-PARSE-004",
  DUPLICATE: "BP-PARSE-005",
  TRAILING: "BP-PARSE-006",
  NOT_CANONICAL: "BP-PARSE-007",
  BAD_ENCODING: "BP-PARSE-008",
  UNSUPPORTED: "BP-PARSE-009",
  TOO_LARGE: "BP-PARSE-010",
  MISSING: "BP-PARSE-011",
  BAD_DIGEST: "BP-PARSE-012",
};

const FIX =
  "Check that it is the file that was meant, and whole: bootproof inspect FILE shows what is in it.";

/** Pages of BP-PARSE. */
export const PARSE_PAGES: Pages = {
  "BP-PARSE-001": page(
    "the input ends too early",
    "A field reaches past the end: a cut-off download or copy, or a length that lies.",
  ),
  "BP-PARSE-002": page(
    "a magic number or signature is not there",
    "The file is of another kind than the verb needs.",
  ),
  "BP-PARSE-003": page(
    "a number is out of range",
    "A length, offset or value lies outside what the format allows or what bootproof accepts from files it does not know.",
  ),
  "BP-PARSE-004": page(
    "a reserved field is not zero",
    "The format says zero there; bytes that nothing reads could hide something.",
  ),
  "BP-PARSE-005": page(
    "something appears twice",
    "What must be there once is there twice, and the two could contradict each other.",
  ),
  "BP-PARSE-006": page(
    "bytes follow the end",
    "Nothing may follow the last field; what nothing reads could hide something.",
  ),
  "BP-PARSE-007": page(
    "text is not in its one spelling",
    "The format has one way to write each value (no leading zeros, one order of lines); this is another.",
  ),
  "BP-PARSE-008": page("text is wrongly encoded", "UTF-8, hex, base64 or a decimal number is broken."),
  "BP-PARSE-009": page(
    "an unknown version or variant",
    "The format is known, this variant of it is not supported.",
  ),
  "BP-PARSE-010": page(
    "a part is too large",
    "It is larger than anything of its kind; reading it would only fill the memory.",
  ),
  "BP-PARSE-011": page(
    "a part is missing",
    "The format, or the verb that reads it, needs a part that is not there.",
  ),
  "BP-PARSE-012": page(
    "a stored checksum does not match",
    "The bytes were changed or damaged after the checksum was made.",
  ),
};

function page(title: string, why: string): Page {
  return { title, exit: EXIT.malformed, why, fix: FIX };
}
