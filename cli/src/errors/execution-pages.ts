/**
 * Pages of unpacking packages, the sandbox and the steps of a build.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Page, Pages } from "./page.ts";

const PACKAGE_FIX =
  "The lock names the package by hash, so it is what the archive serves: report it, or lock without the package.";

/** Pages of BP-ARCHIVE, BP-ROOT, BP-SANDBOX and BP-BUILD. */
export const EXECUTION_PAGES: Pages = {
  "BP-ARCHIVE-001": archive(
    "a package is no ar archive",
    "A .deb is an ar archive; this one is broken or another file.",
  ),
  "BP-ARCHIVE-002": archive("a package is no Debian package", "It lacks debian-binary 2.0 or its data part."),
  "BP-ARCHIVE-003": archive(
    "a package cannot be decompressed",
    "Its xz, zstd or gzip stream is broken or of an unknown kind.",
  ),
  "BP-ARCHIVE-004": archive(
    "a package's tar is malformed",
    "A header is broken, or of a form that is not known.",
  ),
  "BP-ARCHIVE-005": archive(
    "a path in a package leads outside",
    "It is absolute, climbs with .. or is no plain name: unpacking it would write outside the root.",
  ),
  "BP-ARCHIVE-006": archive("a link in a package leads outside", "It points out of the root or to nothing."),
  "BP-ARCHIVE-007": archive(
    "a package holds a special file",
    "Devices, pipes and sockets have no place in an input root.",
  ),
  "BP-ARCHIVE-008": archive(
    "a package is too large",
    "It unpacks to more bytes or entries than any real package.",
  ),
  "BP-ARCHIVE-009": archive(
    "two packages put different things at one path",
    "The order of unpacking would decide, so neither is taken.",
  ),
  "BP-ROOT-001": {
    title: "the packages unpack to another root than the store remembers",
    exit: EXIT.malformed,
    why: "The store's memory of this toolchain was changed or damaged, or comes from another version of bootproof.",
    fix: "bootproof store gc --all makes the store forget it; the next build unpacks it anew.",
  },
  "BP-ROOT-002": {
    title: "the toolchain lacks something that every build needs",
    exit: EXIT.badConfig,
    why: "Steps run by /bin/bash, and a build needs the coreutils; the toolchain's packages do not bring them.",
    fix: "Add the named package under toolchain.packages, then: bootproof lock RECIPE",
  },
  "BP-SANDBOX-001": {
    title: "this machine cannot make the sandbox",
    exit: EXIT.unavailable,
    why: "A namespace or mount is refused: user namespaces are off, or a container forbids them.",
    fix: "bootproof doctor says which, and the command that allows it.",
  },
  "BP-SANDBOX-002": {
    title: "a program that the sandbox needs is missing",
    exit: EXIT.unavailable,
    why: "The sandbox is made by programs of util-linux, which this machine lacks.",
    fix: "bootproof doctor says which, and the command that installs it.",
  },
  "BP-BUILD-001": {
    title: "a step failed",
    exit: EXIT.no,
    why: "The step's script ended with another status than 0. Its last lines are shown; the build log has all of them.",
    fix: "Read the log; the step sees only the toolchain and /source, and no network.",
  },
  "BP-BUILD-002": {
    title: "the build ran out of time",
    exit: EXIT.no,
    why: "It took longer than its limit and was ended, with everything in it.",
    fix: "Look in the log where it stood; a slower machine may need a longer limit.",
  },
  "BP-BUILD-003": {
    title: "the build went over a limit",
    exit: EXIT.no,
    why: "It wrote more to its log than allowed and was ended.",
    fix: "Look in the log where it stood.",
  },
  "BP-BUILD-004": {
    title: "an output is missing",
    exit: EXIT.no,
    why: "The steps ended well, but an output is absent, no regular file, or too large.",
    fix: "Correct the output's path (relative to /build), or the step that writes it.",
  },
  "BP-BUILD-005": {
    title: "the build was stopped",
    exit: EXIT.tryAgain,
    why: "It was interrupted. Nothing half-written was kept.",
    fix: "Run it again; finished components and fetched inputs are reused.",
  },
  "BP-BUILD-006": {
    title: "the disk is full",
    exit: EXIT.cannotWrite,
    why: "The store's disk had no space left for the build's files. This says nothing about the recipe.",
    fix: "Free some space (bootproof store gc), or put the store on a larger disk with BOOTPROOF_STORE; run it again.",
  },
  "BP-BUILD-007": {
    title: "the build needs more memory than this machine gives it",
    exit: EXIT.tryAgain,
    why: "It went over the limit, nine tenths of the machine's memory, and was ended.",
    fix: "Build on a machine with more memory, or one component at a time with --jobs 1.",
  },
};

function archive(title: string, why: string): Page {
  return { title, exit: EXIT.malformed, why, fix: PACKAGE_FIX };
}
