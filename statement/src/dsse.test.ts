import { readFileSync } from "node:fs";
import { formatBase64, formatHex, KEY_TYPE, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkSignatures,
  formatEnvelope,
  keyidOf,
  MAX_ENVELOPE,
  openEnvelope,
  parseEnvelope,
  parseForeignEnvelope,
  preAuthenticationEncoding,
  signEnvelope,
} from "./dsse.ts";
import { StatementError } from "./statement-error.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/pae.json", import.meta.url), "utf8")) as {
  cases: { type: string; payload_utf8: string; pae_utf8?: string; pae_hex?: string }[];
};

const ours = makeSigningKey("example.org/publisher", new Uint8Array(32).fill(1));
const other = makeSigningKey("example.org/other", new Uint8Array(32).fill(2));
const keys = [ours.vkey, other.vkey];
const TYPE = "application/vnd.in-toto+json";
const signed = await signEnvelope(TYPE, utf8('{"a":1}'), signerOf(ours));
const text = parseUtf8(signed, "envelope");

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ParseError || error instanceof StatementError) return error.code;
    throw error;
  }
  return "accepted";
};

describe("DSSE: nobody may change what a publisher signed", () => {
  it.each(vectors.cases)(
    "encodes $type as the protocol does",
    ({ type, payload_utf8, pae_utf8, pae_hex }) => {
      const encoded = preAuthenticationEncoding(type, utf8(payload_utf8));
      expect(formatHex(encoded)).toBe(pae_hex ?? formatHex(utf8(pae_utf8 ?? "")));
    },
  );

  it("writes one spelling: sorted keys, no space, the same bytes each time", async () => {
    expect(await signEnvelope(TYPE, utf8('{"a":1}'), signerOf(ours))).toEqual(signed);
    expect(text).toMatch(
      /^\{"payload":"eyJhIjoxfQ==","payloadType":"application\/vnd.in-toto\+json","signatures":\[\{"keyid":"example.org\/publisher\+[0-9a-f]{8}","sig":"[A-Za-z0-9+/=]{88}"\}\]\}$/,
    );
  });

  it("hands out the exact bytes that were signed, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (payload) => {
        const opened = openEnvelope(await signEnvelope(TYPE, payload, signerOf(ours)), keys);
        expect(opened).toEqual({
          payloadType: TYPE,
          payload,
          keyid: keyidOf(ours.vkey),
          keyids: [keyidOf(ours.vkey)],
        });
      }),
      { numRuns: 20 },
    );
  });

  it("refuses every change of one byte", () => {
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = signed.map((byte, index) => (index === at ? byte ^ flip : byte));
        expect(codeOf(() => openEnvelope(changed, keys))).not.toBe("accepted");
      }),
      { numRuns: 150 },
    );
  });

  it("parses any bytes or throws ParseError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
        try {
          parseForeignEnvelope(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("tells an unknown key from a failing signature", () => {
    expect(codeOf(() => openEnvelope(signed, [other.vkey]))).toBe("BP-STATEMENT-001");
    expect(codeOf(() => openEnvelope(signed, []))).toBe("BP-STATEMENT-001");
    const forged = formatEnvelope({ ...parseEnvelope(signed), unverifiedPayload: utf8('{"a":2}') });
    expect(codeOf(() => openEnvelope(forged, keys))).toBe("BP-STATEMENT-002");
  });

  it("refuses the type of a payload exchanged for another", () => {
    const retyped = formatEnvelope({ ...parseEnvelope(signed), payloadType: "text/plain" });
    expect(codeOf(() => openEnvelope(retyped, keys))).toBe("BP-STATEMENT-002");
  });

  it("does not let a witness's key sign statements", async () => {
    const witness = makeSigningKey("example.org/witness", new Uint8Array(32).fill(3), KEY_TYPE.cosignature);
    const envelope = parseEnvelope(await signEnvelope(TYPE, utf8("{}"), signerOf(witness)));
    expect(checkSignatures(envelope, [witness.vkey])).toEqual([
      { keyid: keyidOf(witness.vkey), outcome: "unknown key" },
    ]);
  });

  it("refuses an envelope larger than a log leaf when signing, not after", async () => {
    const error = await signEnvelope(TYPE, new Uint8Array(MAX_ENVELOPE), signerOf(ours)).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: "BP-STATEMENT-003" });
  });

  it.each([
    ["white space", text.replace(",", ", "), "NOT_CANONICAL"],
    ["a final line feed", `${text}\n`, "NOT_CANONICAL"],
    ["an unknown key", text.replace("{", '{"extra":1,'), "NOT_CANONICAL"],
    [
      "keys in another order",
      `{"payloadType":"x","payload":"","signatures":[{"keyid":"k","sig":""}]}`,
      "NOT_CANONICAL",
    ],
    ["an escaped letter", text.replace("vnd", "vn\\u0064"), "NOT_CANONICAL"],
    [
      "URL-safe base64",
      `{"payload":"-_-_","payloadType":"x","signatures":[{"keyid":"k","sig":""}]}`,
      "NOT_CANONICAL",
    ],
    ["no keyid", `{"payload":"","payloadType":"x","signatures":[{"sig":""}]}`, "NOT_CANONICAL"],
    ["the same keyid twice", text.replace(/\[(.*)\]/, "[$1,$1]"), "DUPLICATE"],
    ["no signature", text.replace(/\[.*\]/, "[]"), "NOT_CANONICAL"],
    ["no signatures", text.replace(/,"signatures".*$/, "}"), "MISSING"],
    [
      "seventeen signatures",
      text.replace(/\[(.*)\]/, `[${Array<string>(17).fill("$1").join(",")}]`),
      "NOT_CANONICAL",
    ],
    ["a payload that is no text", text.replace(/"payload":"[^"]*"/, '"payload":1'), "BAD_ENCODING"],
    ["broken base64", text.replace("eyJhIjoxfQ==", "eyJhIjoxfQ="), "BAD_ENCODING"],
    ["stray bits in base64", text.replace("eyJhIjoxfQ==", "eyJhIjoxfR=="), "BAD_ENCODING"],
    ["a key twice", text.replace("{", '{"payload":"",'), "DUPLICATE"],
    ["an array", "[]", "MISSING"],
  ])("refuses as a leaf: %s", (_, changed, code) => {
    expect(codeOf(() => parseEnvelope(utf8(changed)))).toBe(code);
  });

  it("reads what others write, and logs it in our spelling", () => {
    const foreign = ` {"signatures": [{"sig": "-_-_"}], "payloadType": "x", "payload": "${formatBase64(utf8("hi"))}", "more": 1} `;
    const parsed = parseForeignEnvelope(utf8(foreign));
    expect(parsed).toEqual({
      payloadType: "x",
      unverifiedPayload: utf8("hi"),
      signatures: [{ keyid: "", sig: Uint8Array.of(0xfb, 0xff, 0xbf) }],
    });
    expect(parseEnvelope(formatEnvelope(parsed))).toEqual(parsed);
  });
});
