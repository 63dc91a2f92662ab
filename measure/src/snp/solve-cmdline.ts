/**
 * The command line that a guest may have been started with instead of the given one: changed on its way by a shell, a
 * file, or a tool.
 * @module
 */
import { concatBytes, equalBytes, sha256, type Sha256 } from "@bootproof/bytes";
import type { Axis, Candidate } from "../solve/axis.ts";

/** What is hashed in place of the command line. */
export interface CmdlineGuess {
  /** The bytes in front of the NUL; undefined where what is hashed is no command line with its NUL. */
  readonly text: Uint8Array | undefined;
  readonly digest: Sha256;
}

/** Command lines that differ from the given one by what shells, files and tools do to text. */
export function cmdlineAxis(
  boot: { readonly cmdline?: Uint8Array | undefined } | undefined,
): Axis<CmdlineGuess> {
  const given = boot?.cmdline ?? new Uint8Array();
  const first: Candidate<CmdlineGuess> = {
    value: terminated(given),
    label: describe(boot?.cmdline),
    surprise: 0,
  };
  const candidates: [Candidate<CmdlineGuess>, ...Candidate<CmdlineGuess>[]] = [first];
  if (boot === undefined) return { name: "cmdline", standing: "assumed", candidates };
  const known = (guess: CmdlineGuess): boolean =>
    candidates.some(({ value }) => equalBytes(value.digest, guess.digest));
  for (const other of changedCmdlines(given)) if (!known(other.value)) candidates.push(other);
  return { name: "cmdline", standing: boot.cmdline === undefined ? "assumed" : "given", candidates };
}

// Not \s, nor String.trim: among these bytes 0xa0 is half of a letter.
const START = /^[ \t\n\v\f\r]+/;
const END = /[ \t\n\v\f\r]+$/;
const trim = (text: string): string => text.replace(START, "").replace(END, "");

function changedCmdlines(given: Uint8Array): Candidate<CmdlineGuess>[] {
  const text = latin1(given);
  return [
    ...changedEnds(text),
    ...changedQuotes(text),
    ...changedSpaces(text),
    unterminated(given),
    ...changedWords(text),
  ];
}

function whole(to: string, what: string, surprise: number, cause: string): Candidate<CmdlineGuess> {
  return { value: terminated(fromLatin1(to)), label: `command line ${what}`, surprise, cause };
}

const FROM_FILE =
  'a file that ends in a newline, read whole; --append "$(cat FILE)" drops the newline, --append-file keeps it';
const FROM_WINDOWS = "a file with Windows line ends, read whole";
const TRIMMED =
  "something on the way trims it. snpguest and the sev crate trim before they hash, QEMU does not: their value is not what hardware reports";
const EMPTY = "the VMM was started without -append, or with an empty one: both measure the same";
const JOINED = "text was joined with spaces";

function changedEnds(text: string): Candidate<CmdlineGuess>[] {
  return [
    whole(`${text}\n`, "with a newline at its end", 1, FROM_FILE),
    whole(text.replace(/\r?\n$/, ""), "without the newline at its end", 1, FROM_FILE),
    whole(trim(text), "without spaces and newlines around it", 1, TRIMMED),
    whole(text.replace(END, ""), "without spaces and newlines at its end", 1, TRIMMED),
    whole(text.replace(START, ""), "without spaces at its start", 2, TRIMMED),
    whole("", "empty", 1, EMPTY),
    whole(`${text} `, "with a space at its end", 1, JOINED),
    whole(` ${text}`, "with a space before it", 1, JOINED),
    whole(` ${text} `, "with spaces around it", 2, JOINED),
    whole(`${text}\r\n`, "with CR and LF at its end", 2, FROM_WINDOWS),
    whole(`${text}\r`, "with a carriage return at its end", 2, FROM_WINDOWS),
    whole(
      `${text}\0`,
      "with a NUL of its own at its end",
      2,
      "the caller ended it with a NUL, and QEMU adds another",
    ),
    whole(`${text}\n\0`, "with a newline and a NUL at its end", 3, "a file read whole and ended by hand"),
    whole(`\u00ef\u00bb\u00bf${text}`, "behind a byte order mark", 3, "an editor put the mark into the file"),
  ];
}

function changedQuotes(text: string): Candidate<CmdlineGuess>[] {
  const kept = "quotes reached the VMM: no shell took them off";
  const taken = "a shell took them off";
  return [
    whole(`"${text}"`, "in double quotes", 2, kept),
    whole(`'${text}'`, "in single quotes", 2, kept),
    whole(text.replace(/^(["'])(.*)\1$/s, "$2"), "without the quotes around it", 1, taken),
    whole(text.replace(/["']/g, ""), "without any quotes", 2, taken),
  ];
}

function changedSpaces(text: string): Candidate<CmdlineGuess>[] {
  const split = "a shell split it into words";
  return [
    whole(text.replace(/[ \t]+/g, " "), "with single spaces", 2, split),
    whole(trim(text).replace(/[ \t\r\n]+/g, " "), "as words with single spaces", 2, split),
    whole(
      text.replace(/[ \t]*\r?\n[ \t]*/g, " "),
      "with its lines joined",
      2,
      "lines were joined with spaces",
    ),
    whole(text.replace(/,/g, ",,"), "with commas doubled", 3, "doubled as for QEMU's other options"),
  ];
}

function unterminated(given: Uint8Array): Candidate<CmdlineGuess> {
  return {
    value: { text: undefined, digest: sha256(given) },
    label: "command line hashed without its NUL",
    surprise: 2,
    cause: "a tool hashed the text alone; QEMU hashes the NUL behind it too",
    tool: "a tool that forgets the NUL",
  };
}

/** Words that distributions and orchestrators add or remove. */
const WORDS = [
  "quiet",
  "splash",
  "ro",
  "rw",
  "console=ttyS0",
  "console=hvc0",
  "panic=1",
  "nomodeset",
  "debug",
];

function changedWords(text: string): Candidate<CmdlineGuess>[] {
  const words = text.split(" ");
  const rare = (to: string, what: string): Candidate<CmdlineGuess> => ({
    value: terminated(fromLatin1(to)),
    label: `command line ${what}`,
    surprise: 5,
    rare: true,
    cause: "whoever starts the guest changes its parameters",
  });
  const removed = words.map((word, index) =>
    rare(words.toSpliced(index, 1).join(" "), `without the word "${word}"`),
  );
  const added = WORDS.flatMap((word) => [
    rare(`${text} ${word}`, `with the word "${word}" at its end`),
    rare(`${word} ${text}`, `with the word "${word}" before it`),
  ]);
  return [...removed.slice(0, 64), ...added];
}

/** The digest of a text and its NUL. */
export function terminated(text: Uint8Array): CmdlineGuess {
  return { text, digest: sha256(concatBytes(text, Uint8Array.of(0))) };
}

function describe(cmdline: Uint8Array | undefined): string {
  return cmdline === undefined ? "no command line" : "the command line as given";
}

/** Bytes as text of one character each: any bytes survive the way there and back. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
