/**
 * Bars of text, narrow enough for a phone.
 * @module
 */
const WIDTH = 24;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** A title, and a line a value: its name, a bar, the value. */
export function bars(title: string, values: readonly (readonly [name: string, value: number])[]): string[] {
  const most = Math.max(...values.map(([, value]) => value));
  const names = Math.max(...values.map(([name]) => name.length));
  return [
    title,
    ...values.map(([name, value]) => {
      const eighths = Math.round((value / most) * WIDTH * 8);
      const bar = "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7]!;
      return `${name.padEnd(names)} ${bar} ${Math.round(value).toLocaleString("en")}`;
    }),
  ];
}
