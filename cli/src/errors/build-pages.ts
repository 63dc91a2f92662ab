/**
 * Pages of recipes, locks, inputs and builds.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-RECIPE, BP-LOCK, BP-RESOLVE and BP-INPUT. */
export const BUILD_PAGES: Pages = {
  "BP-RECIPE-001": {
    title: "the recipe is not readable YAML",
    exit: EXIT.badConfig,
    why: "The file is not YAML 1.2, or it names a key twice; the message has line and column.",
    fix: "Correct the line; bootproof init NAME writes a recipe to start from.",
  },
  "BP-RECIPE-002": {
    title: "the recipe does not fit its schema",
    exit: EXIT.badConfig,
    why: "A key is unknown or absent, or a value is of the wrong kind; the message has line and column.",
    fix: "Correct the line; the message suggests the key that was probably meant.",
  },
  "BP-RECIPE-003": {
    title: "the recipe is too large",
    exit: EXIT.badConfig,
    why: "Recipes are written by people; this file is larger than any of those.",
    fix: "Put large files beside the recipe and name them as sources: {file: NAME}.",
  },
  "BP-RECIPE-004": {
    title: "the recipe cannot be read",
    exit: EXIT.noInput,
    why: "There is no such file, or this user may not read it.",
    fix: "Check the path; bootproof init NAME writes a recipe to start from.",
  },
  "BP-RECIPE-005": {
    title: "a component does not fit",
    exit: EXIT.badConfig,
    why: "A composing recipe names a component that is absent, composes itself, or lacks the output taken from it.",
    fix: "Correct the component's path or the output's name under `from`.",
  },
  "BP-RECIPE-006": {
    title: "a file beside the recipe is absent",
    exit: EXIT.noInput,
    why: "A source {file: NAME} is read from beside the recipe, and it is not there.",
    fix: "Put the file there; a rebuilder needs it with the recipe.",
  },
  "BP-LOCK-001": {
    title: "the lock is not readable",
    exit: EXIT.badConfig,
    why: "The lock is not YAML or does not fit its schema: edited by hand, cut off, or of another version.",
    fix: "Make it anew: bootproof lock RECIPE",
  },
  "BP-LOCK-002": {
    title: "the lock is not in its one spelling",
    exit: EXIT.badConfig,
    why: "Locks are compared by hash, so there is one way to write each; this file was edited or reformatted.",
    fix: "Make it anew: bootproof lock RECIPE",
  },
  "BP-LOCK-003": {
    title: "the lock does not match its recipe",
    exit: EXIT.badConfig,
    why: "The recipe's sources or toolchain changed after the lock was made.",
    fix: "Make it anew and look at what changed: bootproof lock RECIPE && git diff",
  },
  "BP-LOCK-004": {
    title: "there is no lock",
    exit: EXIT.badConfig,
    why: "Nothing is fetched that a lock does not name, and the recipe has no lock beside it.",
    fix: "Make it: bootproof lock RECIPE",
  },
  "BP-LOCK-005": {
    title: "a component's lock is another one",
    exit: EXIT.badConfig,
    why: "A composing lock names each component's lock by hash, and a component's lock has changed since.",
    fix: "Make the composing lock anew: bootproof lock RECIPE",
  },
  "BP-RESOLVE-001": {
    title: "the suite's Release is not signed by the archive",
    exit: EXIT.malformed,
    why: "No signature on the mirror's Release holds under a key of the Debian archive: a lying or broken mirror.",
    fix: "Use another mirror: bootproof lock RECIPE --mirror URL",
  },
  "BP-RESOLVE-002": {
    title: "an index is not the one that Release names",
    exit: EXIT.malformed,
    why: "The mirror is in the middle of an update, broken, or lies.",
    fix: "Try again later, or use another mirror: bootproof lock RECIPE --mirror URL",
  },
  "BP-RESOLVE-003": {
    title: "a package is not in the suite",
    exit: EXIT.badConfig,
    why: "A toolchain package, or something that it depends on, does not exist in the suite.",
    fix: "Correct the name under toolchain.packages, or take another suite.",
  },
  "BP-RESOLVE-004": {
    title: "a source package is not in the suite in that version",
    exit: EXIT.badConfig,
    why: "The suite has moved on to another version, or the name is wrong.",
    fix: "Name the version that the suite has; the message lists it.",
  },
  "BP-RESOLVE-005": {
    title: "no mirror can be reached",
    exit: EXIT.unavailable,
    why: "None of the mirrors answered for the suite's metadata.",
    fix: "Check the network and proxy; name a mirror: --mirror URL or BOOTPROOF_DEBIAN_MIRROR",
  },
  "BP-RESOLVE-006": {
    title: "signed metadata cannot be read",
    exit: EXIT.malformed,
    why: "The archive's metadata is signed but in a form that bootproof does not know.",
    fix: "Use another mirror or a newer bootproof.",
  },
  "BP-INPUT-001": {
    title: "an input is on none of the mirrors",
    exit: EXIT.unavailable,
    why: "The lock names a file by hash, and no mirror that answers has it any more.",
    fix: "Name a mirror or an archive of snapshots that has it: --mirror URL or BOOTPROOF_DEBIAN_MIRROR",
  },
  "BP-INPUT-002": {
    title: "an input's bytes are not the ones the lock names",
    exit: EXIT.malformed,
    why: "The file was changed, or the mirror serves other bytes. Nothing of it was kept.",
    fix: "Use another mirror. If the change was meant: bootproof lock RECIPE",
  },
  "BP-INPUT-003": {
    title: "an input is not in the store",
    exit: EXIT.unavailable,
    why: "With --offline only the store is asked, and it does not hold this input.",
    fix: "Run once without --offline, or name the store that has it: --store DIR",
  },
  "BP-INPUT-004": {
    title: "a git commit cannot be had",
    exit: EXIT.unavailable,
    why: "The repository cannot be reached or does not hold the commit.",
    fix: "Check the URL and the commit.",
  },
  "BP-INPUT-005": {
    title: "downloads cannot be written",
    exit: EXIT.cannotWrite,
    why: "The store's folder of downloads is on a full or read-only disk.",
    fix: "Free some space (bootproof store gc), or name another store: --store DIR or BOOTPROOF_STORE",
  },
  "BP-INPUT-006": {
    title: "an input has vanished from the store",
    exit: EXIT.tryAgain,
    why: "It was there when the build began: somebody emptied the store meanwhile.",
    fix: "Run the command again, and bootproof store gc --all only while nothing is built.",
  },
  "BP-INPUT-007": {
    title: "an input in the store is damaged",
    exit: EXIT.malformed,
    why: "It was right when it was fetched, and its bytes have changed on the disk since.",
    fix: "Delete the file that the message names and run the command again; check the rest: bootproof store verify",
  },
  "BP-INPUT-008": {
    title: "no mirror could be asked for an input",
    exit: EXIT.unavailable,
    why: "No mirror is known, or none answers, so nobody can say whether the input is still there.",
    fix: "Check the network, or name a mirror: --mirror URL, --from DIR or BOOTPROOF_DEBIAN_MIRROR",
  },
};
