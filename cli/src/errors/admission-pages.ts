/**
 * Pages of what a served log refuses.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-ADMIT. */
export const ADMISSION_PAGES: Pages = {
  "BP-ADMIT-001": {
    title: "the statement is too large for the log",
    exit: EXIT.malformed,
    why: "An entry of a log has at most 65,535 bytes.",
    fix: "Name fewer artifacts or shapes in one statement, and large things by their digest.",
  },
  "BP-ADMIT-002": {
    title: "what was sent is no envelope in its one spelling",
    exit: EXIT.malformed,
    why: "A log takes a DSSE envelope with sorted keys, no space, no other keys and standard base64. In any other spelling two readers could read it differently, and verifiers would not read it at all.",
    fix: "Send the file that bootproof wrote, byte for byte.",
  },
  "BP-ADMIT-003": {
    title: "not exactly one signature",
    exit: EXIT.malformed,
    why: "An entry is the word of one publisher. A second signature would let it stand under another's name.",
    fix: "Let each publisher sign and send a statement of its own.",
  },
  "BP-ADMIT-004": {
    title: "signed by a key that may not publish in this log",
    exit: EXIT.notAuthorised,
    why: "The log's operator has not put this key on the list of publishers, or under another name.",
    fix: "Send the operator your public key (bootproof key show FILE); it goes into publishers.yaml as it is.",
  },
  "BP-ADMIT-005": {
    title: "the signature does not verify",
    exit: EXIT.notAuthorised,
    why: "The statement or its signature was changed, or another key signed than the one it names.",
    fix: "Sign the statement again and send it unchanged.",
  },
  "BP-ADMIT-006": {
    title: "the payload is no in-toto statement",
    exit: EXIT.malformed,
    why: "The envelope's payloadType is not application/vnd.in-toto+json.",
    fix: "Put the statement into an envelope of that type.",
  },
  "BP-ADMIT-007": {
    title: "the statement is malformed",
    exit: EXIT.malformed,
    why: "It is no in-toto Statement v1, or could be read in two ways: a key twice, an unknown key, a name that is no plain file name.",
    fix: "The message names the part at fault; bootproof inspect FILE shows the statement.",
  },
  "BP-ADMIT-008": {
    title: "this publisher may not make such statements",
    exit: EXIT.notAuthorised,
    why: "Its entry in the list of publishers does not name this predicate type under may.",
    fix: "Ask the log's operator to add it: release, rebuild, provenance, or the type's URI.",
  },
  "BP-ADMIT-009": {
    title: "the statement breaks the rules of its type",
    exit: EXIT.malformed,
    why: "The predicate does not follow its schema, holds a value that no boot gives, or names more shapes than can be looked up.",
    fix: "The message names the field; make the statement with bootproof release or rebuild.",
  },
  "BP-ADMIT-010": {
    title: "the statement speaks about names of others",
    exit: EXIT.notAuthorised,
    why: "Every name in a statement must lie in the namespaces that the log's operator gave its publisher: the release's name, or else all subjects.",
    fix: "Rename the release, or ask the operator for the namespace.",
  },
  "BP-ADMIT-011": {
    title: "the rebuild is about no release of this log",
    exit: EXIT.malformed,
    why: "A rebuild names a release by index and leaf hash, and repeats its artifacts; that has to be an entry of this log unless its publisher may speak about anything.",
    fix: "Send it to the log that holds the release, or rebuild from that log's bundle.",
  },
  "BP-ADMIT-012": {
    title: "today's quota is used up",
    exit: EXIT.tryAgain,
    why: "The log's operator limits how many entries and bytes each key adds in a day (UTC). What the log has already counts nothing.",
    fix: "Send it again tomorrow, or ask the operator for more.",
  },
  "BP-ADMIT-013": {
    title: "the list of publishers is invalid",
    exit: EXIT.badConfig,
    why: "publishers.yaml cannot be used as it is: every problem is listed with its line.",
    fix: "Correct the lines; docs/how-to/publish-to-a-log.md shows a whole list.",
  },
  "BP-ADMIT-014": {
    title: "the log did not answer with a proof of the entry",
    exit: EXIT.no,
    why: "The log said that it has the entry, and what it sent as proof does not show it: another entry, another log, or hashes that do not lead to the root.",
    fix: "Keep the answer and tell the log's operator; do not treat the statement as published.",
  },
  "BP-ADMIT-015": {
    title: "the log has not published the entry yet",
    exit: EXIT.tryAgain,
    why: "The log took the entry, and its next checkpoint did not come out while the command waited.",
    fix: "Run the command again: an entry that is there already is not added again.",
  },
  "BP-ADMIT-016": {
    title: "the log refuses the entry",
    exit: EXIT.unavailable,
    why: "The log's server answered with an error that this version does not know; its own words stand in the message.",
    fix: "Try again later, or ask the log's operator.",
  },
};
