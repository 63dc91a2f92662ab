/**
 * Pages of places and keys of logs.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of what can go wrong with them. */
export const LOG_PLACE_PAGES: Pages = {
  "BP-LOG-041": {
    title: "the two folders of the log are on different file systems",
    exit: EXIT.badConfig,
    why: "DIR and DIR.private must be kept and restored together: one that is older than the other stops the log. A snapshot of one file system holds both, two snapshots do not.",
    fix: "Choose a folder --log DIR whose parent is on the file system that is meant, or a --private-store.",
  },
  "BP-LOG-042": {
    title: "no credentials for the log's bucket",
    exit: EXIT.notAuthorised,
    why: "The log is on an S3-compatible store, and secrets are never kept with it or in a URL.",
    fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one.",
  },
  "BP-LOG-043": {
    title: "the log has no key with this ID",
    exit: EXIT.usage,
    why: "The eight hex digits are those of none of the keys that sign for the log.",
    fix: "bootproof log key list --log DIR shows them.",
  },
  "BP-LOG-044": {
    title: "the last Ed25519 key of a log cannot be dropped",
    exit: EXIT.usage,
    why: "Every reader and witness knows Ed25519, and a public log must be signed with it (C2SP tlog-tiles).",
    fix: "Add its successor first: bootproof log key add --generate --log DIR; or freeze the log: bootproof log freeze",
  },
  "BP-LOG-045": {
    title: "the keys that remain have not signed the log yet",
    exit: EXIT.undecided,
    why: "Without the key that is to be dropped nobody could tell that the log's head and checkpoint are its own.",
    fix: "Have them sign: bootproof log key add --log DIR; then retire the old one.",
  },
  "BP-LOG-046": {
    title: "the log that is to be continued is not frozen",
    exit: EXIT.usage,
    why: "Its successor is bound to its final checkpoint; entries added later would be in neither.",
    fix: "Freeze it first: bootproof log freeze --log OLD",
  },
  "BP-LOG-047": {
    title: "the checkpoint that a log continues is not the old log's",
    exit: EXIT.no,
    why: "The first entry of the log says that it continues another one, and the checkpoint in it does not verify under the keys that it names.",
    fix: "Do not take this log for the successor: compare with what the operator of the old one publishes.",
  },
};
