/**
 * Pages of services: what a server answers instead of what was asked.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-SERVE. */
export const SERVE_PAGES: Pages = {
  "BP-SERVE-001": {
    title: "no such page",
    exit: EXIT.no,
    why: "The server has no page of this address. A log serves its checkpoint, its tiles and its key, and no other file.",
    fix: "Check the address; tiles are spelled as C2SP tlog-tiles says.",
  },
  "BP-SERVE-002": {
    title: "this page is not asked for in this way",
    exit: EXIT.malformed,
    why: "Pages are read with GET or HEAD, actions are done with POST.",
    fix: "Use the method that the answer's Allow header names.",
  },
  "BP-SERVE-003": {
    title: "the request is too large",
    exit: EXIT.malformed,
    why: "An entry of a log is at most 65535 bytes; what comes beyond that is not read.",
    fix: "Log a statement that names the file by its digest instead.",
  },
  "BP-SERVE-004": {
    title: "the address says something that the page does not take",
    exit: EXIT.malformed,
    why: "A parameter behind the ? is not one of the page's, is there twice, or has a value that cannot be read.",
    fix: "Leave it away, or see docs/how-to/run-a-log.md for what the page takes.",
  },
  "BP-SERVE-005": {
    title: "too many entries are waiting to be logged",
    exit: EXIT.tryAgain,
    why: "The pool of entries without an index is full. The entry was not taken.",
    fix: "Send it again after the time that Retry-After names.",
  },
  "BP-SERVE-006": {
    title: "the server is stopping",
    exit: EXIT.tryAgain,
    why: "It ended before the entry was public. Whether the entry got its place in the log, sending it again tells.",
    fix: "Send it again, to this address later or to another one of the same log: it is not added twice.",
  },
  "BP-SERVE-007": {
    title: "the log's files do not prove the entry",
    exit: EXIT.no,
    why: "A proof is verified before it is handed out, and this one did not verify: a tile, a bundle or an index of the log is damaged.",
    fix: "Its operator finds the file: bootproof log audit --log DIR",
  },
  "BP-SERVE-008": {
    title: "no such entry is in the log or waits",
    exit: EXIT.no,
    why: "The server knows no entry of this leaf hash. One that was only pending is lost when the process that held it is killed.",
    fix: "Send the entry again: it is not added twice.",
  },
  "BP-SERVE-009": {
    title: "the server cannot answer",
    exit: EXIT.tryAgain,
    why: "Something failed that nobody foresaw; the server's journal says what.",
    fix: "Try again; if it stays, tell the operator the time of the request.",
  },
  "BP-SERVE-010": {
    title: "the log is frozen",
    exit: EXIT.no,
    why: "Its operator has closed it: what it holds stays provable, and nothing is added.",
    fix: "Ask the operator which log follows it.",
  },
  "BP-SERVE-011": {
    title: "the log takes no entries over HTTP",
    exit: EXIT.no,
    why: "Its operator has not said who may publish.",
    fix: "The operator names publishers: bootproof log serve --publishers FILE",
  },
  "BP-SERVE-012": {
    title: "entries cannot be taken now",
    exit: EXIT.tryAgain,
    why: "The database in which entries wait cannot be reached. The entry was not taken, or will be logged later.",
    fix: "Send it again after the time that Retry-After names: it is not added twice.",
  },
  "BP-SERVE-013": {
    title: "the client hung up before it had asked",
    exit: EXIT.unavailable,
    why: "The connection ended in the middle of a request. It is in the server's journal and was answered to nobody.",
    fix: "Nothing: if it was yours, send it again.",
  },
};
