/**
 * Pages of watching logs.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-WATCH. */
export const WATCH_PAGES: Pages = {
  "BP-WATCH-001": {
    title: "the watcher's configuration cannot be read",
    exit: EXIT.badConfig,
    why: "The file is not YAML, or a key is absent, unknown or has a value that cannot be read; the message has line and column.",
    fix: "Correct the line; docs/how-to/watch-a-log.md shows a whole configuration.",
  },
  "BP-WATCH-002": {
    title: "another process watches with this state",
    exit: EXIT.tryAgain,
    why: "Two watchers that share what they remember would each lose what the other saw. The lock is the kernel's: it is gone as soon as that process ends.",
    fix: "Wait until it has finished, or name another folder with --state.",
  },
  "BP-WATCH-003": {
    title: "a webhook's secret is missing or too short",
    exit: EXIT.badConfig,
    why: "The file or environment variable that was named holds fewer than 16 bytes; whoever guesses the secret can forge alerts.",
    fix: "Make one (openssl rand -hex 32) and give it to the receiver too.",
  },
  "BP-WATCH-004": {
    title: "nobody reads the alerts on standard output any more",
    exit: EXIT.cannotWrite,
    why: "The program that the output was piped to has ended. The alert that could not be printed was not forgotten: the next run prints it.",
    fix: "Start it again with a reader, or write `stdout: none` under alerts in the configuration.",
  },
};
