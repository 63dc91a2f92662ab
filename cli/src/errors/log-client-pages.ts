/**
 * Pages of what readers of a log find out about it.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-LOG-030 to 039. */
export const LOG_CLIENT_PAGES: Pages = {
  "BP-LOG-030": {
    title: "the log shrank",
    exit: EXIT.no,
    why: "The log showed a larger signed checkpoint before. A cache that answers with an old file looks the same as a log that was set back, and so does a server that hides the newest entries.",
    fix: "Ask again, or another mirror. Both checkpoints are kept in the file that was named; to take the log as it is now, remove what is remembered of it below BOOTPROOF_STATE/checkpoints (~/.local/state/bootproof).",
  },
  "BP-LOG-031": {
    title: "the log signed two trees of one size",
    exit: EXIT.no,
    why: "The key signed two checkpoints of the same size with different roots: different people were told different things.",
    fix: "Keep and publish the evidence; believe neither. Anyone with the log's key can check it: bootproof inspect FILE.evidence",
  },
  "BP-LOG-032": {
    title: "the log forked",
    exit: EXIT.no,
    why: "The larger of two signed trees does not begin with the entries of the smaller one: something was changed or removed.",
    fix: "Keep and publish the evidence; believe neither. Anyone with the log's key can check it: bootproof inspect FILE.evidence",
  },
  "BP-LOG-033": {
    title: "what was remembered of a log cannot be read",
    exit: EXIT.malformed,
    why: "The file with the checkpoints seen before was changed or damaged. It is not ignored, for it may be all that tells a fork.",
    fix: "Restore it from a backup, or remove the folder that was named to take the log's size as it is now.",
  },
  "BP-LOG-034": {
    title: "an answer is larger than the file can be",
    exit: EXIT.malformed,
    why: "A checkpoint, tile or entry bundle has a largest size, and the server sends more. It is not read any further.",
    fix: "Check the address; the server is broken or hostile. A mirror may serve the same log.",
  },
  "BP-LOG-035": {
    title: "this folder is no mirror of that log",
    exit: EXIT.cannotWrite,
    why: "The folder holds a log that is written here, or files of something else; a mirror would overwrite them.",
    fix: "Name another folder: --to DIR",
  },
  "BP-LOG-036": {
    title: "the server asks to be asked later",
    exit: EXIT.tryAgain,
    why: "It answered that it is busy, and for how long (Retry-After); that is longer than this command waits.",
    fix: "Run the command again after that time.",
  },
  "BP-LOG-037": {
    title: "another process is mirroring into this folder",
    exit: EXIT.tryAgain,
    why: "Two processes that replace one checkpoint might set it back.",
    fix: "Wait until it has finished, or stop it.",
  },
};
