/**
 * Colour on terminals: a handful of SGR codes, off unless asked for or on a terminal.
 * @module
 */

const SGR = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** The colours and weights we use. */
export type Paint = keyof typeof SGR;

/** Wraps text in a colour, or returns it as it is when colour is off. */
export function paint(text: string, how: Paint, color: boolean): string {
  return color ? `\u001b[${String(SGR[how])}m${text}\u001b[0m` : text;
}
