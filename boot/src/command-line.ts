/**
 * The kernel command line: exact bytes, and what in them surprises people.
 * Linux Documentation/admin-guide/kernel-parameters.rst; lib/cmdline.c (next_arg) for quoting.
 * @module
 */

/** One parameter: `quiet`, or `root=/dev/vda`. */
export interface KernelParameter {
  readonly name: string;
  readonly value: string | undefined;
}

/** x86 COMMAND_LINE_SIZE with its NUL. */
const MAX_LENGTH = 2048;

/** What about these bytes makes two tools, or a tool and a kernel, see different command lines. Never throws. */
export function commandLineNotes(bytes: Uint8Array): string[] {
  const notes: string[] = [];
  const last = bytes.at(-1);
  if (last === 0x0a) notes.push("the command line ends with a newline, which is measured");
  else if (isSpace(last) || isSpace(bytes[0]))
    notes.push(
      "the command line begins or ends with white space, which is measured, and which some tools trim",
    );
  if (bytes.includes(0))
    notes.push("the command line contains a NUL: the kernel reads no further, all is measured");
  if (bytes.length >= MAX_LENGTH)
    notes.push(`the command line has ${bytes.length} bytes: an x86 kernel keeps ${MAX_LENGTH - 1}`);
  return notes;
}

/** Splits a command line as the kernel does: at white space outside double quotes. Parameters behind `--` are init's and left out. */
export function parseCommandLine(text: string): KernelParameter[] {
  const parameters: KernelParameter[] = [];
  for (const match of text.matchAll(/(?:[^\s"]|"[^"]*(?:"|$))+/g)) {
    const word = match[0];
    if (word === "--") break;
    parameters.push(parseParameter(word));
  }
  return parameters;
}

function parseParameter(word: string): KernelParameter {
  const plain = word.startsWith('"') ? word.slice(1).replace(/"$/, "") : word;
  const equals = plain.indexOf("=");
  if (equals < 0) return { name: plain, value: undefined };
  const value = plain.slice(equals + 1);
  return { name: plain.slice(0, equals), value: value.replace(/^"/, "").replace(/"$/, "") };
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
