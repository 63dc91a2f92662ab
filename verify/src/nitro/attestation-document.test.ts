import { readFileSync } from "node:fs";
import { join } from "node:path";

import { encodeCbor, formatHex, ParseError, parseStrictCbor, type CborValue } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeConsistency, looksLikeAttestationDocument, parseAttestationDocument } from "./index.ts";

interface Real {
  readonly file: string;
  readonly module_id: string;
  readonly timestamp_ms: number;
  readonly pcrs: Readonly<Record<string, string>>;
  readonly public_key: string | null;
  readonly user_data: string | null;
  readonly nonce: string | null;
  readonly debug_mode_zero_pcrs: boolean;
  readonly pcr4_matches_module_id: boolean;
  readonly chain: readonly {
    readonly subject: string;
    readonly not_before: string;
    readonly not_after: string;
  }[];
}
interface Derived {
  readonly file: string;
  readonly why: string;
}

const VECTORS = join(import.meta.dirname, "../../vectors/nitro");
const load = (file: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(VECTORS, file)));
const { real, derived } = JSON.parse(readFileSync(join(VECTORS, "expected.json"), "utf8")) as {
  real: readonly Real[];
  derived: readonly Derived[];
};
const hexOrNull = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : formatHex(bytes);

describe("attestation documents from the wild", () => {
  it.each(real)("$file: every field is what an independent reader found", (want) => {
    const bytes = load(want.file);
    expect(looksLikeAttestationDocument(bytes)).toBe(true);
    const document = parseAttestationDocument(bytes);
    expect({
      module_id: document.moduleId,
      timestamp_ms: document.timestamp,
      pcrs: Object.fromEntries([...document.pcrs].map(([index, value]) => [String(index), formatHex(value)])),
      public_key: hexOrNull(document.publicKey),
      user_data: hexOrNull(document.userData),
      nonce: hexOrNull(document.nonce),
    }).toEqual({
      module_id: want.module_id,
      timestamp_ms: want.timestamp_ms,
      pcrs: want.pcrs,
      public_key: want.public_key,
      user_data: want.user_data,
      nonce: want.nonce,
    });
  });

  it.each(real)("$file: debug mode, PCR4 and the chain's dates are told", (want) => {
    const shown = describeConsistency(parseAttestationDocument(load(want.file)));
    expect(shown.debug).toBe(want.debug_mode_zero_pcrs);
    expect(shown.pcr4IsModule).toBe(want.pcr4_matches_module_id);
    expect(shown.chain.map(({ notBefore, notAfter }) => [notBefore.getTime(), notAfter.getTime()])).toEqual(
      want.chain.map((one) => [Date.parse(one.not_before), Date.parse(one.not_after)]),
    );
    const genuine = !want.file.startsWith("marlin-custom");
    expect(shown.certificateIsModule).toBe(genuine);
    expect(shown.chainInOrder).toBe(true);
    expect(shown.partlyZero).toBe(!genuine);
    expect(shown.chain.every(({ coversTimestamp }) => coversTimestamp)).toBe(true);
  });

  it("NSMs since 2025 write the payload without its length, which is the same document", () => {
    const document = parseAttestationDocument(load("turnkey-2025-indefinite-map.bin"));
    expect(document.payload[0]).toBe(0xbf);
    expect(document.moduleId).toBe("i-02447a481344e9ec0-enc0199546b533fd5d0");
    expect(describeConsistency(document)).toMatchObject({ debug: false, pcr4IsModule: true });
  });
});

/** Whose syntax is good: only the signature or the policy tells them from a good one. */
const READABLE = ["tag18", "sig-flip", "pcr0-zeroed", "cabundle-reversed"];

describe("documents that were changed", () => {
  it.each(derived)("$file ($why)", ({ file }) => {
    const read = (): unknown => parseAttestationDocument(load(file));
    if (READABLE.some((name) => file.endsWith(`${name}.bin`))) expect(read).not.toThrow();
    else expect(read).toThrow(ParseError);
  });

  const good = load("veracruz-2022.bin");
  const parts = parseStrictCbor(good, "document") as [Uint8Array, CborValue, Uint8Array, Uint8Array];
  const fields = parseStrictCbor(parts[2], "payload") as ReadonlyMap<string, CborValue>;
  const with_ = (name: string, value: CborValue | undefined): Uint8Array => {
    const changed = new Map<string, CborValue>(fields);
    if (value === undefined) changed.delete(name);
    else changed.set(name, value);
    return encodeCbor([parts[0], parts[1], encodeCbor(changed), parts[3]]);
  };
  const register = new Uint8Array(48);
  it.each<[string, string, CborValue | undefined]>([
    ["no module", "module_id", undefined],
    ["a module that is bytes", "module_id", new Uint8Array(4)],
    ["another digest", "digest", "SHA512"],
    ["a negative time", "timestamp", -1],
    ["a time after the end of dates", "timestamp", 8.64e15 + 2],
    ["a time beyond 2^53", "timestamp", 2n ** 60n],
    ["no registers", "pcrs", new Map()],
    ["registers in a list", "pcrs", [register]],
    ["a register named by text", "pcrs", new Map([["0", register]])],
    ["register -1", "pcrs", new Map([[-1, register]])],
    ["a register of 49 bytes", "pcrs", new Map([[0, new Uint8Array(49)]])],
    ["an empty certificate", "certificate", new Uint8Array(0)],
    ["a certificate of 1025 bytes", "certificate", new Uint8Array(1025)],
    ["a chain that is bytes", "cabundle", new Uint8Array(4)],
    ["a chain of 17", "cabundle", Array.from({ length: 17 }, () => new Uint8Array(4))],
    ["an empty certificate in the chain", "cabundle", [new Uint8Array(0)]],
    ["an empty key", "public_key", new Uint8Array(0)],
    ["a key of 1025 bytes", "public_key", new Uint8Array(1025)],
    ["user data that is text", "user_data", "x"],
    ["a field of a NitroTPM's document", "nitrotpm_pcrs", new Map([[0, register]])],
  ])("%s is refused", (_what, name, value) => {
    expect(() => parseAttestationDocument(with_(name, value))).toThrow(ParseError);
  });

  it.each<[string, string, CborValue | undefined]>([
    ["no key", "public_key", undefined],
    ["empty user data", "user_data", new Uint8Array(0)],
    ["1024 bytes of nonce", "nonce", new Uint8Array(1024)],
    ["all 32 registers", "pcrs", new Map(Array.from({ length: 32 }, (_, index) => [index, register]))],
  ])("%s is taken", (_what, name, value) => {
    expect(() => parseAttestationDocument(with_(name, value))).not.toThrow();
  });

  it("of QEMU, which signs nothing, are refused and named", () => {
    expect(() => parseAttestationDocument(load("derived/alg-none.bin"))).toThrow("QEMU");
  });
});

describe("hostile documents", () => {
  const good = load("veracruz-2022.bin");
  const tolerant = (bytes: Uint8Array): void => {
    try {
      describeConsistency(parseAttestationDocument(bytes));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  };
  it("any bytes are read or refused by ParseError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tolerant));
  });
  it("any change of a byte is read or refused by ParseError", () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(good);
        changed[at] = byte;
        tolerant(changed);
      }),
      { numRuns: 1000 },
    );
  });
  it("a document of any larger size is refused before it is read", () => {
    expect(() => parseAttestationDocument(new Uint8Array(32 * 1024 + 1))).toThrow("32768");
  });
});
