import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRelease, parseReleaseDate } from "./release.ts";

const HASH = "0123456789abcdef".repeat(4);
const TEXT = `Origin: Debian
Suite: stable
Codename: trixie
Date: Sat, 21 Nov 2026 09:15:44 UTC
Valid-Until: Sat, 28 Nov 2026 09:15:44 UTC
MD5Sum:
 0123 12 main/binary-amd64/Packages.xz
SHA256:
 ${HASH}  9679304 main/binary-amd64/Packages.xz
 ${HASH}        0 main/binary-amd64/Packages
`;

it("suite, dates and the hash of every index are read", async () => {
  expect(await parseRelease(TEXT)).toEqual({
    suite: "stable",
    codename: "trixie",
    date: "Sat, 21 Nov 2026 09:15:44 UTC",
    validUntil: "Sat, 28 Nov 2026 09:15:44 UTC",
    entries: new Map([
      [
        "main/binary-amd64/Packages.xz",
        { path: "main/binary-amd64/Packages.xz", size: 9679304, sha256: HASH },
      ],
      ["main/binary-amd64/Packages", { path: "main/binary-amd64/Packages", size: 0, sha256: HASH }],
    ]),
  });
});

it.each([
  ["no codename", "Codename: trixie\n", ""],
  ["no hashes", /SHA256:[^]*/, ""],
  ["a hash that is short", HASH, HASH.slice(1)],
  ["a size with a sign", " 9679304 ", " +9679304 "],
  ["an index twice", "Packages\n", "Packages.xz\n"],
  ["a line of four words", "Packages.xz\n ", "Packages.xz x\n "],
  ["a date in another zone", "09:15:44 UTC\nValid", "09:15:44 +0100\nValid"],
  ["a date that is none", "21 Nov 2026", "99 Nov 2026"],
  ["a Valid-Until that is none", "Sat, 28 Nov", "soon"],
  ["a field twice", "Origin: Debian", "Suite: other"],
  ["two paragraphs", "Origin: Debian\n", "Origin: Debian\n\n"],
])("a Release with %s is refused", async (_, from, to) => {
  const changed = TEXT.replace(from, to);
  expect(changed).not.toBe(TEXT);
  await expect(parseRelease(changed)).rejects.toThrow(ParseError);
});

it("dates are times of UTC", () => {
  expect(parseReleaseDate("Thu, 01 Jan 1970 00:00:01 UTC", "Date")).toBe(1000);
});

it("any change of one character is a Release or a ParseError", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(TEXT.length - 1),
      fc.string({ unit: "binary", maxLength: 2 }),
      async (at, put) => {
        await parseRelease(TEXT.slice(0, at) + put + TEXT.slice(at + 1)).catch((error: unknown) =>
          expect(error).toBeInstanceOf(ParseError),
        );
      },
    ),
    { numRuns: 300 },
  );
});
