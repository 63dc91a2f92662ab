/**
 * Pages of the content-addressed store.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-STORE. */
export const STORE_PAGES: Pages = {
  "BP-STORE-001": {
    title: "the disk is full",
    exit: EXIT.cannotWrite,
    why: "The file system has no room or the quota is used up. Nothing half-written was left behind.",
    fix: "Free some space (bootproof store gc), or name a larger disk: --store DIR or BOOTPROOF_STORE",
  },
  "BP-STORE-002": {
    title: "the disk reports an error",
    exit: EXIT.cannotWrite,
    why: "The file system answered a read, write or sync with an input/output error; what was just written may be lost.",
    fix: "Check the disk (dmesg), then: bootproof store verify",
  },
  "BP-STORE-003": {
    title: "the store may not be written",
    exit: EXIT.cannotWrite,
    why: "This user may not write there, or the file system is read-only.",
    fix: "Name a store of your own: --store DIR or BOOTPROOF_STORE",
  },
  "BP-STORE-004": {
    title: "a stored blob is damaged",
    exit: EXIT.malformed,
    why: "The file's bytes no longer have the digest that names it: a failing disk, or someone changed it.",
    fix: "Delete the named file and run again; bootproof store verify checks all others.",
  },
  "BP-STORE-005": {
    title: "the bytes are not the expected ones",
    exit: EXIT.malformed,
    why: "What was to be stored has another size or digest than it should. Nothing of it was kept.",
    fix: "Fetch it from another place; if the change was meant, lock the recipe again.",
  },
  "BP-STORE-006": {
    title: "more bytes than allowed",
    exit: EXIT.malformed,
    why: "Something to be stored is larger than its limit. Nothing of it was kept.",
    fix: "Check that it is the file that was meant.",
  },
  "BP-STORE-007": {
    title: "an immutable object exists with other bytes",
    exit: EXIT.no,
    why: "Files such as a log's full tiles never change, and here one would: two writers, or a restored old copy.",
    fix: "Keep both and look into it: bootproof log audit --log DIR",
  },
  "BP-STORE-008": {
    title: "a name that the store does not accept",
    exit: EXIT.malformed,
    why: "Names in the store are plain: no empty parts, no dots alone, no control characters.",
    fix: "Use another name.",
  },
  "BP-STORE-009": {
    title: "a file or folder of the store is not there",
    exit: EXIT.noInput,
    why: "It was removed while it was used, or the path is wrong.",
    fix: "Run again; bootproof store verify checks the rest.",
  },
  "BP-STORE-010": {
    title: "the system refused a store operation",
    exit: EXIT.cannotWrite,
    why: "The message has the system's own words.",
    fix: "Name another store: --store DIR or BOOTPROOF_STORE",
  },
};
