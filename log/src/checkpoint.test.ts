import { formatBase64, formatHex, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { expectOneSpelling, expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { parseNote } from "./note.ts";
import { noteVerifiers } from "./verifier.ts";

interface Body {
  readonly name: string;
  readonly body: string;
  readonly ok: boolean | string;
  readonly origin?: string;
  readonly size?: string;
  readonly root_b64?: string;
  readonly extensions?: readonly string[];
}
const { cases } = readVectors<{ cases: readonly Body[] }>("checkpoint/bodies.json");
const tessera = readVectors<{ vkey: string; origin: string; checkpoints: Readonly<Record<string, string>> }>(
  "checkpoint/tessera-testdata.json",
);
const realWorld = readVectors<{ cases: readonly { src: string; cp: string }[] }>(
  "checkpoint/real-world.json",
);

describe("checkpoints: two spellings of one tree would be two things to sign", () => {
  it.each(cases.filter(({ ok }) => ok === true).map((vector) => [vector.name, vector] as const))(
    "reads and prints: %s",
    (_, { body, ...want }) => {
      const checkpoint = parseCheckpoint(utf8(body));
      expect(parseUtf8(formatCheckpoint(checkpoint), "checkpoint")).toBe(body);
      if (want.origin !== undefined) expect(checkpoint.origin).toBe(want.origin);
      if (want.size !== undefined) expect(String(checkpoint.size)).toBe(want.size);
      if (want.root_b64 !== undefined) expect(formatBase64(checkpoint.root)).toBe(want.root_b64);
      if (want.extensions !== undefined) expect(checkpoint.extensions).toEqual(want.extensions);
    },
  );

  // A size of 2^64-1 is left to implementations; ours refuses what Go's int64 cannot hold.
  it.each(cases.filter(({ ok }) => ok !== true).map(({ name, body }) => [name, body]))(
    "refuses: %s",
    (_, body) => {
      expect(() => parseCheckpoint(utf8(body))).toThrow(ParseError);
    },
  );

  it("opens all 16 checkpoints of Tessera's test log", () => {
    for (const [size, note] of Object.entries(tessera.checkpoints)) {
      const opened = openCheckpoint(utf8(note), noteVerifiers([tessera.vkey]), tessera.origin);
      expect(String(opened.size)).toBe(size);
    }
    expect(Object.keys(tessera.checkpoints)).toHaveLength(16);
  });

  it.each(realWorld.cases.map(({ src, cp }) => [src, cp]))(
    "reads the published checkpoint of %s",
    (_, note) => {
      const { unverifiedText } = parseNote(utf8(note));
      expect(formatHex(formatCheckpoint(parseCheckpoint(unverifiedText)))).toBe(formatHex(unverifiedText));
    },
  );

  it("refuses a checkpoint of another origin, even when the known key signed it", () => {
    const note = utf8(tessera.checkpoints["3"]!);
    expect(() => openCheckpoint(note, noteVerifiers([tessera.vkey]), "another.test/log")).toThrow(LogError);
  });

  it("never prints a checkpoint that reads otherwise", () => {
    const [size, root] = [3n, EMPTY_ROOT];
    for (const origin of ["", "two\nlines"])
      expect(() => formatCheckpoint({ origin, size, root })).toThrow(ParseError);
    for (const extension of ["", "two\nlines"])
      expect(() => formatCheckpoint({ origin: "a", size, root, extensions: [extension] })).toThrow(
        ParseError,
      );
    expect(() => formatCheckpoint({ origin: "a", size: -1n, root })).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    const sample = utf8(cases.find(({ name }) => name === "extension lines")!.body);
    expectParserToSurvive(parseCheckpoint, sample);
    expectOneSpelling((bytes) => formatCheckpoint(parseCheckpoint(bytes)), sample);
  });
});
