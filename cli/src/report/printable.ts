/**
 * Text from hostile inputs made safe to show: no escape sequence of a file reaches the terminal.
 * @module
 */

// C0 and C1 controls, DEL, line and paragraph separators, and the bidirectional overrides that can
// make a line read differently from what it says.
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with control and direction-changing characters spelt as `\u{..}`; newlines stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Like {@link printable}, on one line and at most `limit` characters long. */
export function oneLine(text: string, limit = 200): string {
  const line = printable(text).replaceAll("\n", "\\n");
  return line.length <= limit ? line : `${line.slice(0, limit - 3)}...`;
}
