import { formatHex, utf8 } from "@bootproof/bytes";
import { makeBootMeasurement, type PlatformMeasurements } from "@bootproof/statement";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestKey, keysOf, MAX_LOOKUP_KEYS, SEARCH_ME, signerKey } from "./lookup-keys.ts";
import { heldDigests } from "./lookup.ts";
import { tryReadEntry } from "./read-entry.ts";
import { matchEntry, parseWanted, wantedKey } from "./wanted.ts";
import {
  divergedArtifacts,
  inShort,
  KEYS,
  measurements,
  rebuildOf,
  release,
  releaseLeaf,
  seal,
  vkeyOf,
} from "./world.testing.ts";

const texts = (keys: readonly Uint8Array[]): Set<string> => new Set(keys.map(formatHex));
const sealed = (entry: PlatformMeasurements): Promise<Uint8Array> =>
  seal(makeBootMeasurement({ ...release, measurements: [entry] }), KEYS.publisher);

const entries: readonly Uint8Array[] = [
  releaseLeaf,
  await seal(rebuildOf(), KEYS.rebuilderA),
  await seal(
    rebuildOf({
      verdict: "DIVERGED",
      artifacts: divergedArtifacts,
      registers: {
        compared: 1,
        differ: [
          {
            platform: "snp",
            shape: "qemu",
            register: "launchDigest",
            expected: "a".repeat(96),
            found: "b".repeat(96),
          },
        ],
      },
    }),
    KEYS.rebuilderB,
  ),
  await sealed(inShort("gce-genoa")),
  await sealed({ platform: "nitro", shape: {}, registers: { PCR0: "cd".repeat(48) } }),
  utf8("no statement at all"),
  releaseLeaf.subarray(1),
];

describe("lookup keys: what an index cannot find, nobody would know to be there", () => {
  it("finds by keys whatever looking through the entries finds, and nothing else", () => {
    const digests = entries.flatMap((entry) =>
      [...heldDigests(entry, tryReadEntry(entry))].map((held) => (held === "more" ? "" : held.digest)),
    );
    const signers = [KEYS.publisher, KEYS.rebuilderA, KEYS.log].flatMap(({ vkey }) => [
      `${vkey.name}+${vkey.keyId}`,
    ]);
    const questions = [...digests, ...signers, vkeyOf("publisher"), vkeyOf("rebuilderB"), "0".repeat(64)];
    expect(questions.length).toBeGreaterThan(40);
    fc.assert(
      fc.property(fc.constantFrom(...questions), fc.constantFrom(...entries), (text, entry) => {
        const wanted = parseWanted(text)!;
        const keyed = texts(keysOf(entry)).has(formatHex(wantedKey(wanted)));
        const match = matchEntry(wanted, entry);
        // A claimed signer stands in the index, and only reading the entry tells whether its signature holds.
        expect(keyed).toBe(match !== undefined);
      }),
      { numRuns: 1500 },
    );
  });

  it("keys an entry that is no statement by its leaf hash alone", () => {
    expect(keysOf(utf8("no statement at all"))).toHaveLength(1);
    expect(keysOf(releaseLeaf.subarray(1))).toHaveLength(1);
  });

  it("marks what it cannot derive as to be searched, and keys the rest", async () => {
    const unknown = await sealed({ ...measurements, vmm: "later-vmm" } as PlatformMeasurements);
    expect(texts(keysOf(unknown))).toContain(formatHex(SEARCH_ME));
    expect(texts(keysOf(unknown))).toContain(formatHex(digestKey(release.build.recipe.sha256)));
    expect(matchEntry(parseWanted("ab".repeat(48))!, unknown)).toBe("unsearched");
    for (const entry of entries) expect(texts(keysOf(entry))).not.toContain(formatHex(SEARCH_ME));
  });

  it("does not let one hostile statement fill the index, nor keep it busy", async () => {
    const hostile = {
      ...measurements,
      axes: { vcpus: "1..4096", cpu: ["EPYC-Milan", "EPYC-v4"], guestFeatures: ["0x1"] },
    } as PlatformMeasurements;
    const many = Array.from({ length: 30 }, (_, at) => ({ ...hostile, kernelHashes: at % 2 === 0 }));
    const entry = await seal(makeBootMeasurement({ ...release, measurements: many }), KEYS.publisher);
    const start = performance.now();
    const keys = keysOf(entry);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(keys.length).toBeLessThanOrEqual(MAX_LOOKUP_KEYS + 1);
    // One shape for each CPU and feature set, and 4096 VMSAs to measure for each of them.
    const axes = { vcpus: "4096", cpu: ["EPYC-Milan", "EPYC-v4"], guestFeatures: ["0x1"] };
    const deep = { ...measurements, axes } as PlatformMeasurements;
    const deeper = Array.from({ length: 40 }, (_, at) => ({ ...deep, kernelHashes: at % 2 === 0 }));
    const slow = await seal(makeBootMeasurement({ ...release, measurements: deeper }), KEYS.publisher);
    const again = performance.now();
    expect(texts(keysOf(slow))).toContain(formatHex(SEARCH_ME));
    expect(performance.now() - again).toBeLessThan(5000);
  });

  it("names signers by the key ID that envelopes claim", () => {
    const { name, keyId } = KEYS.publisher.vkey;
    expect(texts(keysOf(releaseLeaf))).toContain(formatHex(signerKey(`${name}+${keyId}`)));
  });

  it("gives some keys, none twice, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const keys = keysOf(bytes);
        expect(texts(keys).size).toBe(keys.length);
        expect(keys.length).toBeGreaterThan(0);
      }),
    );
  });
});
