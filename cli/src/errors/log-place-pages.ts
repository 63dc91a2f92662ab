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
};
