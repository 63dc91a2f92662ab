import { formatHex, ParseError, parseHex, parseUtf8, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { expectOneSpelling, expectParserToSurvive, readVectors } from "./hostile.testing.ts";
import { LogError } from "./log-error.ts";
import { addSignatures, formatNote, openNote, parseNote, signNote, type NoteSignature } from "./note.ts";
import { ed25519Signer } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";

interface Case {
  readonly name: string;
  readonly note: string;
  readonly keys: readonly string[];
  readonly ok: boolean;
  readonly text?: string;
  readonly verified?: readonly string[];
  readonly unverified?: readonly string[];
}
const vectors = readVectors<{
  cases: readonly Case[];
  invalid_utf8_hex: readonly { name: string; hex: string }[];
}>("note/notes.json");
const good = vectors.cases.filter(({ ok }) => ok);
const reprint = (bytes: Uint8Array): Uint8Array => {
  const { unverifiedText, signatures } = parseNote(bytes);
  return formatNote(unverifiedText, signatures);
};

describe("signed notes: a reader that splits or trims otherwise checks another text than was signed", () => {
  it.each(good.map((vector) => [vector.name, vector] as const))("opens: %s", (_, { note, keys, ...want }) => {
    const opened = openNote(utf8(note), noteVerifiers(keys));
    if (want.text !== undefined) expect(parseUtf8(opened.text, "text")).toBe(want.text);
    if (want.verified !== undefined)
      expect(opened.verified.map(({ verifier }) => verifier.vkey.name)).toEqual(want.verified);
    if (want.unverified !== undefined)
      expect(opened.unknown.map(({ name }) => name)).toEqual(want.unverified);
    expect(formatHex(reprint(utf8(note)))).toBe(formatHex(utf8(note)));
  });

  it.each(vectors.cases.filter(({ ok }) => !ok).map((vector) => [vector.name, vector] as const))(
    "refuses: %s",
    (_, { note, keys }) => {
      let refusal: unknown;
      try {
        openNote(utf8(note), noteVerifiers(keys));
      } catch (error) {
        refusal = error;
      }
      expect(
        refusal instanceof ParseError || (refusal instanceof LogError && refusal.kind === "BAD_SIGNATURE"),
      ).toBe(true);
    },
  );

  it.each(vectors.invalid_utf8_hex.map(({ name, hex }) => [name, hex]))("refuses %s", (_, hex) => {
    expect(() => parseNote(parseHex(hex, "note"))).toThrow(ParseError);
  });

  it("survives any bytes and has one spelling", () => {
    const sample = utf8(good[0]!.note);
    expectParserToSurvive(parseNote, sample);
    expectOneSpelling(reprint, sample);
  });

  it("reads what it signs, and keeps lines that are added to it", async () => {
    const [signer, other] = ["a.test/log", "b.test/w"].map((name, at) =>
      ed25519Signer(name, new Uint8Array(32).fill(at)),
    ) as [ReturnType<typeof ed25519Signer>, ReturnType<typeof ed25519Signer>];
    const note = await signNote(utf8("one\n\ntwo\n"), [signer]);
    const line: NoteSignature = { name: other.name, keyId: other.keyId, signature: new Uint8Array(64) };
    const opened = openNote(addSignatures(note, [line]), noteVerifiers([signer.vkey]));
    expect(parseUtf8(opened.text, "text")).toBe("one\n\ntwo\n");
    expect(opened.unknown).toEqual([line]);
    await expect(signNote(utf8("no line end"), [signer])).rejects.toThrow(ParseError);
  });

  it("counts a key once, and refuses the note when a second line of that key fails", async () => {
    const signer = ed25519Signer("a.test/log", new Uint8Array(32));
    const note = await signNote(utf8("text\n"), [signer, signer]);
    const verifiers = noteVerifiers([signer.vkey]);
    expect(openNote(note, verifiers).verified).toHaveLength(1);
    const bad: NoteSignature = { name: signer.name, keyId: signer.keyId, signature: new Uint8Array(64) };
    expect(() => openNote(addSignatures(note, [bad]), verifiers)).toThrow("does not verify");
  });

  it("reads 100 signature lines and no more", async () => {
    const signer = ed25519Signer("a.test/log", new Uint8Array(32));
    const note = await signNote(utf8("text\n"), [signer]);
    const grease = Array.from({ length: 99 }, (_, at) => ({
      name: `x${at}`,
      keyId: "00000000",
      signature: Uint8Array.of(1),
    }));
    expect(openNote(addSignatures(note, grease), noteVerifiers([signer.vkey])).unknown).toHaveLength(99);
    expect(() => addSignatures(note, [...grease, ...grease.slice(0, 1)])).toThrow(ParseError);
  });
});
