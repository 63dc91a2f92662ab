/**
 * Pages of statements and transparency logs.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-LOG and BP-STATEMENT. */
export const LOG_PAGES: Pages = {
  "BP-LOG-001": {
    title: "another process writes to the log",
    exit: EXIT.tryAgain,
    why: "A log has one writer at a time, and another one committed first. Nothing was lost or forked.",
    fix: "Run the command again.",
  },
  "BP-LOG-002": {
    title: "this writer stopped after a failure",
    exit: EXIT.tryAgain,
    why: "An earlier write failed, so nothing more is written before the log has been opened and checked again.",
    fix: "Run the command again.",
  },
  "BP-LOG-003": {
    title: "no log at this place",
    exit: EXIT.noInput,
    why: "The folder holds no checkpoint, or no private state to write with.",
    fix: "Check --log DIR, or start one: bootproof log init --log DIR",
  },
  "BP-LOG-004": {
    title: "there is a log already",
    exit: EXIT.cannotWrite,
    why: "A log is never started over: its readers would see it shrink.",
    fix: "Add to it (bootproof log add), or choose another folder.",
  },
  "BP-LOG-005": {
    title: "the log's head was rolled back",
    exit: EXIT.no,
    why: "The published checkpoint is larger than the private head: the head comes from an old copy. Writing would fork the log.",
    fix: "Restore the head that belongs to the checkpoint; do not write to this log until then.",
  },
  "BP-LOG-006": {
    title: "two signed checkpoints contradict each other",
    exit: EXIT.no,
    why: "The log has told different people different things. Both checkpoints together prove it.",
    fix: "Keep both files and publish them; trust neither.",
  },
  "BP-LOG-007": {
    title: "signed for another log",
    exit: EXIT.no,
    why: "The checkpoint's origin or key is not that of the log that was named.",
    fix: "Check --vkey or the policy, and the log's address.",
  },
  "BP-LOG-008": {
    title: "a signature does not verify",
    exit: EXIT.no,
    why: "A known key's signature is wrong, or no known key has signed.",
    fix: "Check that the key is the right one: bootproof key show FILE",
  },
  "BP-LOG-009": {
    title: "a file of the log is absent",
    exit: EXIT.no,
    why: "The checkpoint implies a tile or entry bundle that is not there.",
    fix: "Restore the file from a mirror: its content is fixed by the checkpoint.",
  },
  "BP-LOG-010": {
    title: "a file of the log was changed",
    exit: EXIT.no,
    why: "A tile or entry bundle does not hash to what the checkpoint says.",
    fix: "Restore the file from a mirror: its content is fixed by the checkpoint.",
  },
  "BP-LOG-011": {
    title: "an entry is too large",
    exit: EXIT.malformed,
    why: "Entries of a log are at most 65535 bytes.",
    fix: "Log a statement that names the file by its digest instead.",
  },
  "BP-LOG-012": {
    title: "no such entry",
    exit: EXIT.no,
    why: "The index or size lies outside the tree that the checkpoint describes.",
    fix: "bootproof log checkpoint --log DIR shows the size.",
  },
  "BP-LOG-013": {
    title: "the log's key is not known",
    exit: EXIT.undecided,
    why: "A checkpoint proves nothing without the key that it is checked with, and none was named or lies beside the log.",
    fix: "Name it: --vkey KEY (the log's operator publishes it)",
  },
  "BP-LOG-014": {
    title: "another process is writing to the log",
    exit: EXIT.tryAgain,
    why: "A log has one writer at a time. The lock is the kernel's: it is gone as soon as that process ends, however it ends.",
    fix: "Wait until it has finished, then run the command again.",
  },
  "BP-LOG-015": {
    title: "too few witnesses cosigned the checkpoint",
    exit: EXIT.tryAgain,
    why: "The log's policy asks for witnesses, and not enough of them answered in time. Its public checkpoint stays where it was; the entries are kept unless the message says that nothing was added.",
    fix: "Run the command again when the witnesses answer; the entries are not added twice.",
  },
  "BP-LOG-016": {
    title: "the log was frozen",
    exit: EXIT.cannotWrite,
    why: "Whoever runs the log has ended it: it takes no more entries, now and for ever. All that is in it stays readable and provable.",
    fix: "Add to the log that continues it.",
  },
  "BP-STATEMENT-001": {
    title: "not signed by a key that was named",
    exit: EXIT.no,
    why: "The statement has no signature by any of the keys that the policy or command line names.",
    fix: "Check the key: bootproof inspect BUNDLE shows who claims to have signed.",
  },
  "BP-STATEMENT-002": {
    title: "a signature does not verify",
    exit: EXIT.no,
    why: "The statement or its signature was changed after signing.",
    fix: "Get the bundle again from its publisher.",
  },
  "BP-STATEMENT-003": {
    title: "the statement is too large",
    exit: EXIT.malformed,
    why: "A log leaf holds at most 65535 bytes.",
    fix: "Name fewer platforms or artifacts in one recipe.",
  },
  "BP-STATEMENT-004": {
    title: "an all-zero value would be published",
    exit: EXIT.bug,
    why: "No boot gives an all-zero or empty value; publishing one would let a broken report pass.",
    fix: "Run again with --verbose and report what it prints.",
  },
  "BP-STATEMENT-005": {
    title: "the statement contradicts itself",
    exit: EXIT.malformed,
    why: "Its parts do not fit together, such as a verdict that its own artifacts refute.",
    fix: "Get it again from its publisher.",
  },
};
