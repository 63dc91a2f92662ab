import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { oneLine, printable } from "./printable.ts";

describe("printable: a hostile file must not drive the terminal that shows it", () => {
  it("spells out escape sequences, carriage returns and direction overrides", () => {
    expect(printable("a\u001b]0;title\u0007b\r\u202ec")).toBe("a\\u{1b}]0;title\\u{7}b\\u{d}\\u{202e}c");
  });

  it("lets no control character but the line feed through, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(0x2100)).map((units) => String.fromCharCode(...units)),
        (text) => {
          expect(printable(text)).not.toMatch(
            /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
          );
        },
      ),
    );
  });

  it("cuts long text to one line", () => {
    const line = oneLine(`a\n${"b".repeat(500)}`, 50);
    expect(line).toHaveLength(50);
    expect(line).not.toContain("\n");
  });
});
