import { parseHex, parseUtf8, utf8, parseVkey } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { cosign, cosignatureMessage } from "./cosignature.ts";
import { readVectors } from "./hostile.testing.ts";
import { addSignatures, checkSignatures, formatSignatureLine, parseNote } from "./note.ts";
import { cosignatureSigner } from "./signer.ts";
import { noteVerifiers } from "./verifier.ts";

interface Case {
  readonly name: string;
  readonly note: string;
  readonly ok: readonly boolean[];
  readonly timestamps?: readonly number[];
}
const vectors = readVectors<{
  witness_vkeys: readonly string[];
  signed_message_example: string;
  cases: readonly Case[];
}>("cosignature/ed25519.json");
const keys = readVectors<{ witnesses: readonly { name: string; seed_hex: string }[] }>("keys.json");
const first = vectors.cases[0]!;

describe("cosignatures: a witness counted for what it did not sign", () => {
  it.each(vectors.cases.map((vector) => [vector.name, vector] as const))(
    "decides: %s",
    (_, { note, ok, timestamps }) => {
      const parsed = parseNote(utf8(note));
      const lines = parsed.signatures.filter(({ name }) => name.startsWith("witness."));
      expect(ok).toHaveLength(lines.length);
      lines.forEach((line, at) => {
        const checked = checkSignatures(
          { ...parsed, signatures: [line] },
          noteVerifiers(vectors.witness_vkeys),
        );
        expect([line.name, checked.verified.length === 1]).toEqual([line.name, ok[at]]);
        const time = timestamps?.[at];
        if (time !== undefined) expect(checked.verified[0]?.timestamp).toBe(BigInt(time));
      });
    },
  );

  it("makes the lines that torchwood makes", async () => {
    const { unverifiedText, signatures } = parseNote(utf8(first.note));
    for (const [at, { name, seed_hex: seed }] of keys.witnesses.entries()) {
      const line = await cosign(
        unverifiedText,
        cosignatureSigner(name, parseHex(seed, "seed")),
        1679315147n + BigInt(at),
      );
      expect(formatSignatureLine(line)).toBe(formatSignatureLine(signatures[at + 1]!));
    }
  });

  it("signs the whole text, extension lines included", () => {
    const text = parseNote(utf8(first.note)).unverifiedText;
    expect(parseUtf8(cosignatureMessage(text, 1679315147n), "message")).toBe(vectors.signed_message_example);
    const extended = parseUtf8(cosignatureMessage(utf8("a\n1\nr\nmore\n"), 5n), "message");
    expect(extended).toBe("cosignature/v1\ntime 5\na\n1\nr\nmore\n");
  });

  it("refuses a time that Go cannot hold, and does not count a line that claims one", async () => {
    const signer = cosignatureSigner("w.test", new Uint8Array(32));
    await expect(cosign(utf8("a\n"), signer, 1n << 63n)).rejects.toThrow(RangeError);
    const line = await cosign(utf8("text\n"), signer, 1n);
    const late = { ...line, signature: line.signature.with(0, 0x80) };
    const note = parseNote(addSignatures(utf8("text\n\n— x AAAAAAAA\n"), [late]));
    expect(checkSignatures(note, noteVerifiers([parseVkey(signer.vkey)])).failed).toHaveLength(1);
  });
});
