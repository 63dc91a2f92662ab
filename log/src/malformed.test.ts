/** One valid file of each kind, and what becomes of it by one named change: decided by the text of C2SP alone. */
import { formatBase64, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { beforeAll, describe, expect, it } from "vitest";
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { LogError } from "./log-error.ts";
import { parseLogPolicy } from "./log-policy.ts";
import { leafHash } from "./merkle.ts";
import { openNote, parseNote, signNote } from "./note.ts";
import { cosignatureSigner, ed25519Signer } from "./signer.ts";
import { formatTlogProof, parseTlogProof } from "./tlog-proof.ts";
import { noteVerifiers } from "./verifier.ts";
import { verifyTlogProof } from "./verify-tlog-proof.ts";

const signer = ed25519Signer("log.example/a", new Uint8Array(32).fill(1));
const witnesses = ["w.example/1", "w.example/2", "w.example/3"].map((name, at) =>
  cosignatureSigner(name, new Uint8Array(32).fill(10 + at)),
);
const verifiers = noteVerifiers([signer.vkey]);
const root = leafHash(utf8("leaf"));
const BODY = parseUtf8(formatCheckpoint({ origin: "log.example/a", size: 1n, root }), "body");
let note: string;
let proof: string;
beforeAll(async () => {
  note = parseUtf8(await signNote(utf8(BODY), [signer]), "note");
  proof = parseUtf8(
    formatTlogProof({ extra: utf8("leaf"), index: 0n, hashes: [], checkpoint: utf8(note) }),
    "proof",
  );
});
/** A line of a key that nobody knows. */
const line = (name = "x.example", bytes: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5)): string =>
  `\u2014 ${name} ${formatBase64(bytes)}\n`;

describe("a note that another reader would open as something else", () => {
  it.each<readonly [string, (text: string) => string]>([
    ["a line of an unknown key", (text) => text + line()],
    ["that line before the known one", (text) => text.replace("\n\n", `\n\n${line()}`)],
    ["the known key's name with another ID", (text) => text + line(signer.name)],
    ["a key name in another script", (text) => text + line("журнал.example/ключ")],
    ["a key name with a delete character, which is none below U+0020", (text) => text + line("a\u007fb")],
    ["a key name with a zero width space, which is no space", (text) => text + line("a\u200bb")],
    ["15 unknown lines", (text) => text + line().repeat(15)],
    ["a signature of 5 kB", (text) => text + line("pq", new Uint8Array(5000))],
    ["the same known line twice", (text) => text + (/\u2014 log.*\n$/.exec(text)?.[0] ?? "")],
  ])("opens with %s", (_, change) => {
    expect(parseUtf8(openNote(utf8(change(note)), verifiers).text, "text")).toBe(BODY);
  });

  it.each<readonly [string, (text: string) => string]>([
    ["nothing", () => ""],
    ["no signature", (text) => text.slice(0, text.indexOf("\n\n") + 2)],
    ["no blank line", (text) => text.replace("\n\n", "\n")],
    ["no last line end", (text) => text.slice(0, -1)],
    ["an empty line at the end", (text) => `${text}\n`],
    ["a line of text at the end", (text) => `${text}text\n`],
    ["CR before LF", (text) => text.replaceAll("\n", "\r\n")],
    ["a tab", (text) => text.replace("log", "\tlog")],
    ["a NUL", (text) => text.replace("log", "\0log")],
    ["a vertical tab in a signature line", (text) => text + line("a\u000bb")],
    ["a hyphen for the dash", (text) => text.replace("\u2014", "-")],
    ["an en dash for the dash", (text) => text.replace("\u2014", "\u2013")],
    ["no space after the dash", (text) => text.replace("\u2014 ", "\u2014")],
    ["two spaces after the dash", (text) => text.replace("\u2014 ", "\u2014  ")],
    ["a no-break space after the dash", (text) => text.replace("\u2014 ", "\u2014\u00a0")],
    ["two spaces before the signature", (text) => text.replace("log.example/a ", "log.example/a  ")],
    ["a space at the end of a line", (text) => text.replace(/\n$/, " \n")],
    ["a space before the dash", (text) => text.replace("\u2014", " \u2014")],
    ["a word after the signature", (text) => text.replace(/\n$/, " x\n")],
    ["a signature line without signature", (text) => `${text}\u2014 x.example \n`],
    ["a signature line without name", (text) => `${text}\u2014  AQIDBAU=\n`],
    ["a key name with a plus", (text) => text + line("a+b")],
    ["a key name with a no-break space", (text) => text + line("a\u00a0b")],
    ["a key name with an ideographic space", (text) => text + line("a\u3000b")],
    ["a key name with a next line character", (text) => text + line("a\u0085b")],
    ["a key name with a line separator", (text) => text + line("a\u2028b")],
    ["a key ID and no signature", (text) => text + line("x", Uint8Array.of(1, 2, 3, 4))],
    ["a signature of three bytes", (text) => text + line("x", Uint8Array.of(1, 2, 3))],
    ["URL-safe base64", (text) => `${text}\u2014 x _-8DBAUG\n`],
    ["base64 without padding", (text) => `${text}\u2014 x AQIDBAU\n`],
    ["base64 with too much padding", (text) => `${text}\u2014 x AQIDBAU==\n`],
    ["base64 with stray bits", (text) => `${text}\u2014 x AQIDBAV=\n`],
    ["base64 with a line end in it", (text) => `${text}\u2014 x AQID\nBAU=\n`],
    ["101 signature lines", (text) => text + line().repeat(100)],
    ["a million bytes of text", (text) => `${"x".repeat(1_000_000)}\n${text}`],
  ])("is refused with %s", (_, change) => {
    expect(() => parseNote(utf8(change(note)))).toThrow(ParseError);
  });

  it.each<readonly [string, readonly number[]]>([
    ["a byte that begins no character", [0xff]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a cut character", [0xe2, 0x80]],
    ["a character beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ])("is refused with %s in its text or in a signature line", (_, bytes) => {
    for (const at of [3, note.length + 6]) {
      const valid = utf8(note);
      const place = Math.min(at, valid.length - 3);
      const changed = new Uint8Array([...valid.subarray(0, place), ...bytes, ...valid.subarray(place)]);
      expect(() => parseNote(changed)).toThrow(ParseError);
    }
  });

  it.each<readonly [string, (text: string) => string]>([
    ["another text", (text) => text.replace("\n1\n", "\n2\n")],
    ["a byte order mark, which is text", (text) => `\ufeff${text}`],
    ["a blank line more in its text", (text) => text.replace("\n\n", "\n\n\n")],
    ["composed characters taken apart", (text) => text.replace("log", "lo\u0067\u0301")],
    ["a bad line of the known key beside its good one", (text) => text + line(signer.name, knownId())],
    ["the known key's signature under another name", (text) => text.replace("\u2014 log", "\u2014 lag")],
  ])("is not opened with %s", (_, change) => {
    expect(() => openNote(utf8(change(note)), verifiers)).toThrow(LogError);
  });
});

describe("a checkpoint of which two spellings would be two things to sign", () => {
  it.each<readonly [string, (text: string) => string]>([
    ["an extension line", (text) => `${text}more\n`],
    ["an extension line of one space", (text) => `${text} \n`],
    ["an origin with spaces and a plus", (text) => text.replace("log.example/a", "any thing + more")],
    ["the largest size", (text) => text.replace("\n1\n", "\n9223372036854775807\n")],
    ["size 0", (text) => text.replace("\n1\n", "\n0\n")],
  ])("is read with %s, and printed as it was", (_, change) => {
    expect(parseUtf8(formatCheckpoint(parseCheckpoint(utf8(change(BODY)))), "text")).toBe(change(BODY));
  });

  it.each<readonly [string, (text: string) => string]>([
    ["no text", () => ""],
    ["an empty origin", (text) => text.replace("log.example/a", "")],
    ["an empty size", (text) => text.replace("\n1\n", "\n\n")],
    ["a leading zero", (text) => text.replace("\n1\n", "\n01\n")],
    ["a size of 00", (text) => text.replace("\n1\n", "\n00\n")],
    ["a plus", (text) => text.replace("\n1\n", "\n+1\n")],
    ["a minus", (text) => text.replace("\n1\n", "\n-1\n")],
    ["a fraction", (text) => text.replace("\n1\n", "\n1.0\n")],
    ["an exponent", (text) => text.replace("\n1\n", "\n1e3\n")],
    ["hex digits", (text) => text.replace("\n1\n", "\n0x1\n")],
    ["an underscore", (text) => text.replace("\n1\n", "\n1_0\n")],
    ["Arabic digits", (text) => text.replace("\n1\n", "\n\u0661\n")],
    ["full-width digits", (text) => text.replace("\n1\n", "\n\uff11\n")],
    ["a space before the size", (text) => text.replace("\n1\n", "\n 1\n")],
    ["a space after the size", (text) => text.replace("\n1\n", "\n1 \n")],
    ["a size beyond 2^63", (text) => text.replace("\n1\n", "\n9223372036854775808\n")],
    ["a size of a hundred digits", (text) => text.replace("\n1\n", `\n1${"0".repeat(99)}\n`)],
    ["a hash of 31 bytes", (text) => text.replace(/\n[^\n]*\n$/, `\n${formatBase64(root.subarray(1))}\n`)],
    ["a hash of 33 bytes", (text) => text.replace(/\n([^\n]*)=\n$/, "\n$1AAAA=\n")],
    ["a hash in hex", (text) => text.replace(/\n[^\n]*\n$/, `\n${"ab".repeat(32)}\n`)],
    ["a hash without padding", (text) => text.replace("=\n", "\n")],
    ["a hash with stray bits", (text) => text.replace(/.=\n$/, "B=\n")],
    ["no hash", (text) => text.replace(/\n[^\n]*\n$/, "\n")],
    ["no last line end", (text) => text.slice(0, -1)],
    ["an empty line at the end", (text) => `${text}\n`],
    ["an empty line between extension lines", (text) => `${text}a\n\nb\n`],
  ])("is refused with %s", (_, change) => {
    expect(() => parseCheckpoint(utf8(change(BODY)))).toThrow(ParseError);
  });

  it("is refused when it is another log's, whoever signed it", async () => {
    const other = formatCheckpoint({ origin: "log.example/b", size: 1n, root });
    const signed = await signNote(other, [signer]);
    expect(() => openCheckpoint(signed, verifiers, "log.example/a")).toThrow(LogError);
  });
});

describe("a proof file that another verifier would read otherwise", () => {
  const policy = { logKey: signer.vkey };

  it("is believed as it was made, and with an empty line of extra data when the entry is given", () => {
    expect(verifyTlogProof({ proof: utf8(proof), policy }).answer).toBe("yes");
    const empty = utf8(proof.replace(/extra .*/, "extra "));
    expect(verifyTlogProof({ proof: empty, leaf: utf8("leaf"), policy }).answer).toBe("yes");
    expect(verifyTlogProof({ proof: empty, policy }).answer).toBe("no");
  });

  it.each<readonly [string, (text: string) => string]>([
    ["another version", (text) => text.replace("@v1", "@v2")],
    ["a space after the first line", (text) => text.replace("@v1", "@v1 ")],
    ["a byte order mark", (text) => `\ufeff${text}`],
    ["an empty first line", (text) => `\n${text}`],
    ["CR before LF", (text) => text.replaceAll("\n", "\r\n")],
    ["extra without a space", (text) => text.replace("extra ", "extra")],
    ["extra with two spaces", (text) => text.replace("extra ", "extra  ")],
    ["extra in capitals", (text) => text.replace("extra", "Extra")],
    ["extra after the index", (text) => text.replace(/(extra .*\n)(index .*\n)/, "$2$1")],
    ["extra twice", (text) => text.replace(/(extra .*\n)/, "$1$1")],
    ["URL-safe extra data", (text) => text.replace(/extra .*/, "extra _-8=")],
    ["no index", (text) => text.replace(/index .*\n/, "")],
    ["an index twice", (text) => text.replace(/(index .*\n)/, "$1$1")],
    ["an index with a plus", (text) => text.replace("index 0", "index +0")],
    ["an index with a leading zero", (text) => text.replace("index 0", "index 00")],
    ["an index below zero", (text) => text.replace("index 0", "index -0")],
    ["an index in hex", (text) => text.replace("index 0", "index 0x0")],
    ["an index beyond 2^63", (text) => text.replace("index 0", "index 9223372036854775808")],
    ["a tab after index", (text) => text.replace("index ", "index\t")],
    ["a hash of 31 bytes", (text) => text.replace(/(index .*\n)/, `$1${formatBase64(root.subarray(1))}\n`)],
    ["a hash in hex", (text) => text.replace(/(index .*\n)/, `$1${"ab".repeat(32)}\n`)],
    ["a hash with a space behind it", (text) => text.replace(/(index .*\n)/, `$1${formatBase64(root)} \n`)],
    ["64 hashes", (text) => text.replace(/(index .*\n)/, `$1${`${formatBase64(root)}\n`.repeat(64)}`)],
    ["no blank line", (text) => text.replace("\n\n", "\n")],
    ["two blank lines", (text) => text.replace("\n\n", "\n\n\n")],
    ["no checkpoint", (text) => text.slice(0, text.indexOf("\n\n") + 2)],
    ["a checkpoint without signature", (text) => text.slice(0, text.lastIndexOf("\n\n") + 2)],
    ["something behind the checkpoint", (text) => `${text}more\n`],
  ])("is refused with %s", (_, change) => {
    expect(() => parseTlogProof(utf8(change(proof)))).toThrow(ParseError);
  });

  it.each<readonly [string, (text: string) => string]>([
    ["an index outside the tree", (text) => text.replace("index 0", "index 1")],
    ["a hash too many", (text) => text.replace(/(index .*\n)/, `$1${formatBase64(root)}\n`)],
    ["another entry", (text) => text.replace(/extra .*/, `extra ${formatBase64(utf8("fake"))}`)],
    ["another size", (text) => text.replace("\n1\n", "\n2\n")],
    ["another log's name", (text) => text.replace("log.example/a\n1", "log.example/b\n1")],
  ])("is answered no with %s", (_, change) => {
    expect(verifyTlogProof({ proof: utf8(change(proof)), policy }).answer).toBe("no");
  });
});

describe("a policy that asks for less than its author wrote", () => {
  const valid = [
    `log ${signer.vkey} https://log.example/a`,
    ...witnesses.map(({ vkey }, at) => `witness w${at} ${vkey}`),
    "group two 2 w0 w1 w2",
    "quorum two",
    "",
  ].join("\n");

  it.each<readonly [string, (text: string) => string]>([
    ["comments and empty lines", (text) => `# a\n\n \t\n  # b\n${text}#`.replace(/#$/, "#\n")],
    [
      "tabs, and white space at both ends",
      (text) => text.replaceAll(" ", "\t ").replaceAll("\n", " \n ") + "\n",
    ],
    ["no log", (text) => text.replace(/^log.*\n/, "")],
    [
      "names in other scripts, and of one letter",
      (text) => text.replaceAll("two", "\u4e8c").replaceAll("w0", "0"),
    ],
    ["a name that is a keyword", (text) => text.replaceAll("two", "all")],
    [
      "a quorum before later definitions",
      (text) => `${text}log ${ed25519Signer("b", new Uint8Array(32)).vkey}\n`,
    ],
    ["witnesses that the quorum does not name", (text) => text.replace("quorum two", "quorum none")],
  ])("is read with %s", (_, change) => {
    expect(parseLogPolicy(change(valid)).witnesses).toHaveLength(3);
  });

  it.each<readonly [string, (text: string) => string]>([
    ["nothing", () => ""],
    ["no last line end", (text) => text.slice(0, -1)],
    ["CR before LF", (text) => text.replaceAll("\n", "\r\n")],
    ["a form feed between words", (text) => text.replace("quorum two", "quorum\ftwo")],
    ["a no-break space between words", (text) => text.replace("quorum two", "quorum\u00a0two")],
    ["a comment behind a line", (text) => text.replace("quorum two", "quorum two # yes")],
    ["a keyword in capitals", (text) => text.replace("quorum", "Quorum")],
    ["an unknown keyword", (text) => `${text}trust w0\n`],
    ["no quorum", (text) => text.replace("quorum two\n", "")],
    ["two quorums", (text) => `${text}quorum two\n`],
    ["a quorum of nothing", (text) => text.replace("quorum two", "quorum")],
    ["a quorum of two names", (text) => text.replace("quorum two", "quorum w0 w1")],
    ["a quorum named before it is defined", (text) => text.replace(/(group .*\n)(quorum .*\n)/, "$2$1")],
    ["a quorum of an unknown name", (text) => text.replace("quorum two", "quorum tow")],
    ["a group of later names", (text) => text.replace(/(witness w2.*\n)(group .*\n)/, "$2$1")],
    ["a group of itself", (text) => text.replace("w0 w1 w2\n", "w0 w1 two\n")],
    ["a member twice", (text) => text.replace("w0 w1 w2", "w0 w1 w1")],
    ["a member of two groups", (text) => text.replace("quorum", "group more any w0\nquorum")],
    ["a group without members", (text) => text.replace("2 w0 w1 w2", "any")],
    ["a threshold of 0", (text) => text.replace("two 2", "two 0")],
    ["a threshold above the members", (text) => text.replace("two 2", "two 4")],
    ["a threshold with a leading zero", (text) => text.replace("two 2", "two 02")],
    ["a threshold with a sign", (text) => text.replace("two 2", "two +2")],
    ["a threshold in words", (text) => text.replace("two 2", "two most")],
    ["two groups of one name", (text) => text.replace("quorum", "group two any w2\nquorum")],
    ["a group with a witness's name", (text) => text.replaceAll("two", "w0")],
    ["a witness named none", (text) => text.replaceAll("w0", "none")],
    ["none as a member", (text) => text.replace("w0 w1 w2\n", "w0 w1 none\n")],
    ["a witness twice", (text) => text.replace(/(witness w2.*\n)/, "$1$1")],
    ["one key under two names", (text) => text.replace(/(witness )w2 (.*\n)/, "$1w2 $2$1w3 $2")],
    ["a log twice", (text) => text.replace(/^(log.*\n)/, "$1$1")],
    ["a log's key for a witness", (text) => text.replace(witnesses[2]!.vkey, signer.vkey)],
    ["a witness's key for a log", (text) => text.replace(signer.vkey, witnesses[2]!.vkey)],
    ["a witness without key", (text) => text.replace(` ${witnesses[2]!.vkey}`, "")],
    ["a key whose ID is not its own", (text) => text.replace(/\+[0-9a-f]{8}\+/, "+00000000+")],
    ["a key with an ID in capitals", (text) => text.replace(/\+[0-9a-f]{8}\+/, (id) => id.toUpperCase())],
    ["a word after a URL", (text) => text.replace("https://log.example/a", "https://log.example/a b")],
    ["a delete character", (text) => `# \u007f\n${text}`],
    ["an escape in a comment", (text) => `# \u001b[31m\n${text}`],
  ])("is refused with %s", (_, change) => {
    expect(() => parseLogPolicy(change(valid))).toThrow(ParseError);
  });
});

/** A signature by the known key's ID that is none. */
function knownId(): Uint8Array {
  return new Uint8Array([...Buffer.from(signer.keyId, "hex"), ...new Uint8Array(64)]);
}
