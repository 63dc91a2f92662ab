import { asDigest, formatHex, ParseError, parseHex, parseUtf8, utf8, parseVkey } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { cosign, cosignatureMessage, subtreeMessage } from "./cosignature.ts";
import { readVectors } from "./hostile.testing.ts";
import { addSignatures, checkSignatures, formatNote, formatSignatureLine, parseNote } from "./note.ts";
import { cosignatureSigner, mlDsa44Signer } from "./signer.ts";
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

const mlDsa = readVectors<{
  vkey: string;
  timestamp: number;
  signed_message_hex: string;
  signature_line: string;
  checkpoint: string;
}>("cosignature/mldsa44.json");
const subtree = readVectors<Record<string, string | number>>("cosignature/subtree-message.json");
const { mldsa44_witness: mlDsaKey } = readVectors<{ mldsa44_witness: { name: string; seed_hex: string } }>(
  "keys.json",
);

describe("ML-DSA-44 cosignatures: a post-quantum witness that only its own software understands", () => {
  const note = parseNote(utf8(mlDsa.checkpoint));
  const time = BigInt(mlDsa.timestamp);
  const signer = mlDsa44Signer(mlDsaKey.name, parseHex(mlDsaKey.seed_hex, "seed"));

  it("makes the key and the line that filippo.io/mldsa verifies", async () => {
    expect(signer.vkey).toBe(mlDsa.vkey);
    expect(formatSignatureLine(await cosign(note.unverifiedText, signer, time)).trimEnd()).toBe(
      mlDsa.signature_line.trimEnd(),
    );
    const { verified } = checkSignatures(note, noteVerifiers([mlDsa.vkey]));
    expect(verified.map(({ timestamp }) => timestamp)).toEqual([time]);
  });

  it("signs name, time, origin, range and root as the specification lays them out", () => {
    const message = subtreeMessage({
      cosigner: String(subtree["cosigner_name"]),
      timestamp: BigInt(subtree["timestamp"]!),
      origin: String(subtree["log_origin"]),
      start: BigInt(subtree["start"]!),
      end: BigInt(subtree["end"]!),
      root: asDigest("sha256", parseHex(String(subtree["hash_hex"]), "hash")),
    });
    expect(formatHex(message)).toBe(subtree["message_hex"]);
  });

  it("does not count another time, name, size or root, and does not sign extension lines", async () => {
    const line = await cosign(note.unverifiedText, signer, time);
    const [verifier] = noteVerifiers([mlDsa.vkey]);
    expect(verifier!.verify(note.unverifiedText, line.signature)).toBe(true);
    expect(verifier!.verify(note.unverifiedText, line.signature.with(7, 1))).toBe(false);
    const text = parseUtf8(note.unverifiedText, "text");
    expect(verifier!.verify(utf8(text.replace("20852163", "20852164")), line.signature)).toBe(false);
    expect(verifier!.verify(utf8(text.replace("CsU", "CtU")), line.signature)).toBe(false);
    expect(verifier!.verify(utf8(text.replace("bootchain", "bootchaim")), line.signature)).toBe(false);
    expect(verifier!.verify(utf8("no checkpoint\n"), line.signature)).toBe(false);
    expect(verifier!.verify(utf8(`${text}extension\n`), line.signature)).toBe(true);
    const other = mlDsa44Signer("witness.example.test/w2", parseHex(mlDsaKey.seed_hex, "seed"));
    const [renamed] = noteVerifiers([other.vkey]);
    expect(renamed!.verify(note.unverifiedText, line.signature)).toBe(false);
  });

  it("refuses to sign what is no checkpoint, and names of over 255 bytes", async () => {
    await expect(cosign(utf8("text\n"), signer, 1n)).rejects.toThrow(ParseError);
    const long = utf8(parseUtf8(note.unverifiedText, "text").replace("log.example", "l".repeat(260)));
    await expect(cosign(long, signer, 1n)).rejects.toThrow(ParseError);
    const claim = { ...note.signatures[0]!, name: mlDsaKey.name, keyId: signer.keyId };
    const claimed = { ...claim, signature: new Uint8Array(2428) };
    expect(
      checkSignatures(parseNote(formatNote(long, [claimed])), noteVerifiers([signer.vkey])).failed,
    ).toHaveLength(1);
  });
});
