/**
 * Finds QEMU's arguments in what people have: a shell script, a line of `ps`, /proc/PID/cmdline, a list of words.
 * @module
 */
import { parseUtf8 } from "@bootproof/bytes";

import { MeasureError } from "../measure-error.ts";
import { looksLikePs, psWords } from "./ps-words.ts";
import { type Command, shellCommands } from "./shell-words.ts";
import { cmdlineWords, exactWords, type Word, type WordForm } from "./words.ts";

/** QEMU's arguments, without the program. */
export interface QemuArguments {
  readonly words: readonly Word[];
  readonly form: WordForm;
  /** The text that the words come from, when they come from text. */
  readonly text: string;
}

const PROGRAM = /(?:^|\/)(?:qemu-system-[\w.+-]+|qemu-kvm)$/;
/** Names too short to be told from users and arguments: only as a command's first word. */
const SHORT_PROGRAM = /(?:^|\/)(?:kvm|qemu)$/;
const X86 = /(?:^|\/)(?:qemu-system-(?:x86_64|i386|amd64)[\w.+-]*|qemu-kvm|kvm|qemu)$/;

/** Finds the one QEMU command; throws {@link MeasureError} BP-MACHINE-001 or -002, or ParseError. */
export function findQemuArguments(input: string | Uint8Array | readonly string[]): QemuArguments {
  if (typeof input !== "string" && !(input instanceof Uint8Array)) return fromExact(exactWords(input), "");
  const text = typeof input === "string" ? input : parseUtf8(input, "command line");
  if (text.includes("\0")) return fromExact(cmdlineWords(text), text);
  return looksLikePs(text) ? readAsPs(text) : readAsShell(text);
}

/** Reads text as `ps` prints it. */
export function readAsPs(text: string): QemuArguments {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return choose(lines.map(psWords), "ps", text);
}

function readAsShell(text: string): QemuArguments {
  const { words, form } = choose(shellCommands(text), "shell", text);
  const expanded = words.find((word) => word.expansion !== undefined)?.expansion;
  if (expanded !== undefined)
    throw new MeasureError("BP-MACHINE-002", "the shell would expand this, and we do not run shells", {
      found: `${expanded.what} at character ${expanded.at}`,
      hint: "write the value itself, or give /proc/PID/cmdline of the running QEMU",
    });
  return { words, form, text };
}

function fromExact(words: readonly Word[], text: string): QemuArguments {
  const program = programIndex(words);
  // /proc/PID/cmdline of a QEMU of any name: its first word is the program.
  const first = program ?? (words[0]?.text.startsWith("-") === true ? -1 : 0);
  checkX86(program === undefined ? undefined : words[program]);
  if (words.length === 0) throw noCommand("no words");
  return { words: words.slice(first + 1), form: "exact", text };
}

function choose(commands: readonly Command[], form: WordForm, text: string): QemuArguments {
  const found = commands.flatMap((words) => {
    const program = programIndex(words);
    // Without an option it is a `which qemu-kvm`, or a package that is installed.
    const started = words.slice((program ?? 0) + 1).some(({ text: word }) => word.startsWith("-"));
    return program === undefined || !started ? [] : [{ words, program }];
  });
  if (found.length > 1)
    throw new MeasureError("BP-MACHINE-001", "several QEMU commands", {
      expected: "one machine",
      found: found.map(({ words, program }) => words[program]?.text).join(", "),
    });
  const [only] = found;
  if (only !== undefined) {
    checkX86(only.words[only.program]);
    return { words: only.words.slice(only.program + 1), form, text };
  }
  const bare = commands.filter(([first]) => first?.text.startsWith("-") === true);
  if (bare.length === 1 && commands.length === 1) return { words: bare[0] ?? [], form, text };
  throw noCommand(commands[0]?.[0]?.text ?? "nothing");
}

function programIndex(words: readonly Word[]): number | undefined {
  const index = words.findIndex(({ text }) => PROGRAM.test(text));
  if (index >= 0) return index;
  return SHORT_PROGRAM.test(words[0]?.text ?? "") ? 0 : undefined;
}

function checkX86(program: Word | undefined): void {
  if (program !== undefined && !X86.test(program.text))
    throw new MeasureError("BP-MACHINE-001", "this QEMU emulates no x86 machine", { found: program.text });
}

function noCommand(found: string): MeasureError {
  return new MeasureError("BP-MACHINE-001", "no QEMU command found", {
    expected: "qemu-system-x86_64 or qemu-kvm with options, or options alone",
    found: found.slice(0, 80),
  });
}
