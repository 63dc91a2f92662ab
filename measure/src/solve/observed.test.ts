import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBase64, formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { parseObserved } from "./observed.ts";

const digest = sha384(utf8("a launch"));
const hex = formatHex(digest);
const base64 = formatBase64(digest);
const grouped = hex.match(/../g)!.join(" ");

describe("parseObserved: a launch digest in whatever way it was copied", () => {
  it.each([
    ["hex", hex],
    ["upper-case hex", hex.toUpperCase()],
    ["0x", `0x${hex}`],
    ["an algorithm", `sha384:${hex}`],
    ["quotes", `"${hex}"`],
    ["groups", grouped],
    ["lines, as snpguest prints them", grouped.replace(/(.{48})/g, "$1\n")],
    ["colons", grouped.replaceAll(" ", ":")],
    ["a C array", grouped.replaceAll(/(..) ?/g, "0x$1, ")],
    ["base64", base64],
    ["base64 for URLs", base64.replaceAll("+", "-").replaceAll("/", "_")],
  ])("reads %s", (_name, text) => {
    expect(parseObserved(text)).toEqual({ digest });
  });

  it("reads 32 bytes too", () => {
    const short = sha256(utf8("a launch"));
    expect(parseObserved(formatHex(short)).digest).toEqual(short);
    expect(parseObserved(formatBase64(short)).digest).toEqual(short);
  });

  it("reads what snpguest calls base64, and says so", () => {
    for (const text of [hex, `0x${hex}`]) {
      const { digest: read, note } = parseObserved(formatBase64(utf8(text)));
      expect(read).toEqual(digest);
      expect(note).toContain("snpguest");
    }
  });

  it("reads hex of base64, and says so", () => {
    expect(parseObserved(formatHex(utf8(base64)))).toMatchObject({
      digest,
      note: expect.any(String) as string,
    });
  });

  it.each([
    "",
    "0x",
    "abc",
    hex.slice(2),
    `${hex}00`,
    "not a digest",
    "sha384:",
    formatBase64(digest.slice(1)),
  ])("refuses %j", (text) => {
    expect(() => parseObserved(text)).toThrow(MeasureError);
  });

  it.each([
    [
      "a report as snpguest prints it",
      `Version: 2\n\nMeasurement:\n${grouped.toUpperCase().replace(/(.{48})/g, "$1\n")}\nHost Data:\n${"00 ".repeat(32)}\n`,
    ],
    ["a measurement", JSON.stringify({ registers: { launchDigest: hex } }, undefined, 2)],
    ["a log line", `2026-04-01 launch_digest=0x${hex} policy=0x30000`],
  ])("finds the digest in %s", (_name, text) => {
    expect(parseObserved(text).digest).toEqual(digest);
  });

  it("does not choose between two", () => {
    const other = formatHex(sha384(utf8("another launch")));
    expect(() => parseObserved(`measurement: ${hex}\nmeasurement: ${other}\n`)).toThrow(MeasureError);
    expect(parseObserved(`measurement: ${hex}\nmeasurement: ${hex}\n`).digest).toEqual(digest);
  });

  it("reads any text or throws MeasureError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: "grapheme" })), (text) => {
        try {
          expect([32, 48]).toContain(parseObserved(text).digest.length);
        } catch (error) {
          expect(error).toBeInstanceOf(MeasureError);
        }
      }),
    );
  });
});
