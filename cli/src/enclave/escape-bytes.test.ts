import { utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { escapeBytes } from "./escape-bytes.ts";

describe("command lines as they are shown", () => {
  it("show what ends them: a line end is part of what is measured", () => {
    expect(escapeBytes(utf8("console=ttyS0\n"))).toBe("'console=ttyS0\\n'");
    expect(escapeBytes(Uint8Array.of(0x61, 0, 0x1b, 0xff, 0x5c, 0x27))).toBe("'a\\x00\\x1b\\xff\\\\\\''");
  });

  it("never look alike when their bytes differ, and never hold a control character", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const same = Buffer.from(a).equals(Buffer.from(b));
        expect(escapeBytes(a) === escapeBytes(b)).toBe(same);
        expect(escapeBytes(a)).toMatch(/^'[\x20-\x7e]*'$/);
      }),
    );
  });
});
