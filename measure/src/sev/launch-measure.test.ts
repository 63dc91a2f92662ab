import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asDigest,
  concatBytes,
  formatBase64,
  formatHex,
  parseBase64,
  ParseError,
  parseHex,
} from "@bootproof/bytes";
import { vectors } from "../snp/vectors.testing.ts";
import {
  launchMeasure,
  launchMeasureMessage,
  launchSecretHeader,
  parseLaunchMeasure,
  splitTransportKeys,
  verifyLaunchMeasure,
} from "./launch-measure.ts";

interface Vector {
  readonly name: string;
  readonly launchDigest: string;
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly buildId: number;
  readonly policy: string;
  readonly tik: string;
  readonly mnonce: string;
  readonly message: string;
  readonly measure: string;
  readonly blob: string;
}

const all = vectors<Vector>("launch-measure.json");
const inputsOf = ({ launchDigest, apiMajor, apiMinor, buildId, policy, mnonce }: Vector) => ({
  launchDigest: asDigest("sha256", parseHex(launchDigest, "digest")),
  apiMajor,
  apiMinor,
  buildId,
  policy: Number(policy),
  mnonce: parseHex(mnonce, "nonce"),
});

describe("LAUNCH_MEASURE: a wrong yes hands the secret to another guest", () => {
  it.each(all)("$name", (vector) => {
    const inputs = inputsOf(vector);
    const tik = parseHex(vector.tik, "TIK");
    expect(formatHex(launchMeasureMessage(inputs))).toBe(vector.message);
    const measure = launchMeasure(tik, inputs);
    expect(formatHex(measure)).toBe(vector.measure);
    expect(formatBase64(concatBytes(measure, inputs.mnonce))).toBe(vector.blob);
    expect(verifyLaunchMeasure(tik, parseBase64(vector.blob, "blob"), inputs)).toBe(true);
  });

  it("refuses an answer when any bit of it, of the key or of the digest is flipped", () => {
    const [vector] = all;
    const inputs = inputsOf(vector!);
    const whole = concatBytes(
      parseHex(vector!.tik, "TIK"),
      parseBase64(vector!.blob, "blob"),
      inputs.launchDigest,
    );
    fc.assert(
      fc.property(fc.nat(whole.length * 8 - 1), (bit) => {
        const flipped = whole.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const launchDigest = asDigest("sha256", flipped.slice(64));
        const answer = verifyLaunchMeasure(flipped.slice(0, 16), flipped.slice(16, 64), {
          ...inputs,
          launchDigest,
        });
        expect(answer).toBe(false);
      }),
    );
  });

  it("depends on each number of the firmware and on the policy", () => {
    const [vector] = all;
    const inputs = inputsOf(vector!);
    const tik = parseHex(vector!.tik, "TIK");
    const blob = parseBase64(vector!.blob, "blob");
    for (const change of [{ apiMajor: 1 }, { apiMinor: 23 }, { buildId: 16 }, { policy: 0 }])
      expect(verifyLaunchMeasure(tik, blob, { ...inputs, ...change })).toBe(false);
  });

  it("refuses what does not fit instead of cutting it, and names no key", () => {
    const inputs = inputsOf(all[0]!);
    const tik = new Uint8Array(16);
    const wrong = [
      () => launchMeasure(new Uint8Array(32), inputs),
      () => launchMeasure(tik, { ...inputs, apiMajor: 256 }),
      () => launchMeasure(tik, { ...inputs, buildId: -1 }),
      () => launchMeasure(tik, { ...inputs, policy: 2 ** 32 }),
      () => launchMeasure(tik, { ...inputs, mnonce: new Uint8Array(15) }),
      () => splitTransportKeys(new Uint8Array(16)),
    ];
    for (const make of wrong) expect(make).toThrow(expect.objectContaining({ code: "BP-ID-002" }));
    for (const length of [0, 32, 47, 49])
      expect(() => parseLaunchMeasure(new Uint8Array(length))).toThrow(ParseError);
  });

  it("takes the TIK from behind the TEK in libvirt's key file", () => {
    const keys = Uint8Array.from({ length: 32 }, (_, index) => index);
    expect(splitTransportKeys(keys)).toEqual({ tek: keys.slice(0, 16), tik: keys.slice(16) });
  });
});

describe("LAUNCH_SECRET: a wrong MAC and the firmware refuses the secret", () => {
  it("covers flags, IV, both lengths, the ciphertext and the measure, in the order of the specification", () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const u32 = fc.nat(0xffff_ffff);
    const inputs = fc.record({
      flags: u32,
      iv: bytes(16),
      guestLength: u32,
      ciphertext: fc.uint8Array({ maxLength: 100 }),
      measure: bytes(32),
    });
    fc.assert(
      fc.property(bytes(16), inputs, (tik, { flags, iv, guestLength, ciphertext, measure }) => {
        const numbers = Buffer.alloc(13);
        numbers.writeUInt8(1, 0);
        numbers.writeUInt32LE(flags, 1);
        numbers.writeUInt32LE(guestLength, 5);
        numbers.writeUInt32LE(ciphertext.length, 9);
        const mac = createHmac("sha256", tik)
          .update(numbers.subarray(0, 5))
          .update(iv)
          .update(numbers.subarray(5))
          .update(ciphertext)
          .update(measure)
          .digest();
        const header = launchSecretHeader(tik, { flags, iv, guestLength, ciphertext, measure });
        expect(Buffer.from(header)).toEqual(Buffer.concat([numbers.subarray(1, 5), iv, mac]));
      }),
    );
  });
});
