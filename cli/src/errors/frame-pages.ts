/**
 * Pages of the command line itself: usage, files, our own bugs.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-USAGE, BP-FILE, BP-NET and BP-BUG. */
export const FRAME_PAGES: Pages = {
  "BP-USAGE-001": {
    title: "the command line is wrong",
    exit: EXIT.usage,
    why: "A verb, option or argument is not one that bootproof knows, or one that it needs is absent.",
    fix: "bootproof --help lists the verbs; bootproof VERB --help lists what a verb takes.",
  },
  "BP-USAGE-002": {
    title: "options that do not go together, or a value that is not one",
    exit: EXIT.usage,
    why: "An option's value cannot be read, or two options contradict each other.",
    fix: "bootproof VERB --help says what each option takes.",
  },
  "BP-USAGE-003": {
    title: "no page for this code",
    exit: EXIT.usage,
    why: "The code is not one of this version of bootproof.",
    fix: "bootproof explain, without a code, lists all codes.",
  },
  "BP-USAGE-004": {
    title: "a line of a batch that is no request",
    exit: EXIT.usage,
    why: "Each line of --batch is one JSON object whose fields are the options of measure.",
    fix: 'Write lines such as {"ovmf":"OVMF.fd","vcpus":4,"vcpu-type":"EPYC-v4"}',
  },
  "BP-FILE-001": {
    title: "an input file does not exist",
    exit: EXIT.noInput,
    why: "The path is wrong, or relative to another folder than the current one.",
    fix: "Check the path; relative paths start at the current folder.",
  },
  "BP-FILE-002": {
    title: "an input file may not be read",
    exit: EXIT.noInput,
    why: "Its permissions, or those of a folder above it, do not let this user read it.",
    fix: "ls -l FILE shows them; run as the file's owner or change its mode.",
  },
  "BP-FILE-003": {
    title: "an input file is a folder",
    exit: EXIT.noInput,
    why: "A file is needed where a folder was named.",
    fix: "Name the file inside the folder.",
  },
  "BP-FILE-004": {
    title: "an input file is too large",
    exit: EXIT.malformed,
    why: "No input of its kind is this large; reading it would only fill the memory.",
    fix: "Check that it is the file that was meant.",
  },
  "BP-FILE-005": {
    title: "a text file is not UTF-8",
    exit: EXIT.malformed,
    why: "Recipes, locks, policies, keys and bundles are UTF-8 text.",
    fix: "Check that it is the file that was meant; bootproof inspect FILE says what it looks like.",
  },
  "BP-FILE-006": {
    title: "an input file cannot be read",
    exit: EXIT.noInput,
    why: "The system refused to read it; the message has the system's own words.",
    fix: "Often a disk or network file system that went away.",
  },
  "BP-FILE-007": {
    title: "a file is none of the kinds bootproof knows",
    exit: EXIT.malformed,
    why: "inspect looks at the first and last bytes and found no format that it knows.",
    fix: "bootproof inspect --help lists the kinds.",
  },
  "BP-FILE-008": {
    title: "a file is of another kind than the one asked for",
    exit: EXIT.malformed,
    why: "inspect KIND FILE decodes files of that kind only; this one is recognised as something else.",
    fix: "bootproof inspect FILE, without a kind, says what it is.",
  },
  "BP-FILE-011": {
    title: "the disk is full",
    exit: EXIT.cannotWrite,
    why: "The file system has no room or the quota is used up. Nothing half-written was left behind.",
    fix: "bootproof store gc removes what nothing refers to; --out and --store name other places.",
  },
  "BP-FILE-012": {
    title: "a result may not be written",
    exit: EXIT.cannotWrite,
    why: "This user may not write there, or the file system is read-only.",
    fix: "Name another place with --out or --store.",
  },
  "BP-FILE-013": {
    title: "a result cannot be written",
    exit: EXIT.cannotWrite,
    why: "The system refused to write it; the message has the system's own words.",
    fix: "Name another place with --out or --store.",
  },
  "BP-FILE-014": {
    title: "a file exists already and is not overwritten",
    exit: EXIT.cannotWrite,
    why: "Overwriting a key loses it.",
    fix: "Name another file, or move the old one away first.",
  },
  "BP-NET-001": {
    title: "the network is needed and may not be used",
    exit: EXIT.unavailable,
    why: "--offline opens no socket, and what was asked for lies at a URL.",
    fix: "Run without --offline, or name a local folder.",
  },
  "BP-NET-002": {
    title: "a URL cannot be fetched",
    exit: EXIT.unavailable,
    why: "The server cannot be reached, or answers with an error.",
    fix: "Check the address, the network and the proxy, and try again.",
  },
  "BP-NET-003": {
    title: "an address cannot be listened at",
    exit: EXIT.unavailable,
    why: "Another process listens there, or the address or port is not this user's to have.",
    fix: "Choose another: --listen HOST:PORT (log serve: --host and --port); port 0 takes a free one.",
  },
  "BP-BUG-001": {
    title: "a bug of bootproof",
    exit: EXIT.bug,
    why: "Something happened that bootproof did not foresee. It is not your input's fault, whatever it holds.",
    fix: "Run again with --verbose and report what it prints, with the command line.",
  },
};
