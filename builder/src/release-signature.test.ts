import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BuildError } from "./build-error.ts";
import { parseRelease } from "./release.ts";
import { openClearSigned, readArchiveKeys } from "./release-signature.ts";

// Debian 13.8's InRelease as its mirrors serve it.
const SIGNED = gunzipSync(
  readFileSync(new URL("../vectors/trixie-InRelease.gz", import.meta.url)),
).toString();
const AT = new Date("2026-11-24T00:00:00Z");
const KEYS_README = readFileSync(new URL("../keys/README.md", import.meta.url), "utf8");
const keys = await readArchiveKeys();

it("Debian's own Release of trixie holds, by all three of its signatures", async () => {
  const { text, signedBy } = await openClearSigned(SIGNED, keys, AT, "InRelease");
  expect(signedBy).toEqual([
    "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
    "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",
  ]);
  const release = await parseRelease(text);
  expect(release).toMatchObject({
    suite: "stable",
    codename: "trixie",
    date: "Sat, 21 Nov 2026 09:15:44 UTC",
    validUntil: undefined,
  });
  expect(release.entries.get("main/binary-amd64/Packages.xz")).toEqual({
    path: "main/binary-amd64/Packages.xz",
    size: 9679304,
    sha256: "be3d7d96a040eda0505c1808cccc67f183bbc05dff0842c50f88e6c396557412",
  });
});

it("the keys carried here are the ones their README names, and no others", async () => {
  const named = [...KEYS_README.matchAll(/\| ([a-z-]+\.asc) *\| ([0-9A-F]{40}) *\|/g)].map(
    ([, file, fingerprint]) => [file, fingerprint],
  );
  expect(readdirSync(new URL("../keys/", import.meta.url)).filter((file) => file.endsWith(".asc"))).toEqual(
    named.map(([file]) => file),
  );
  const refusal = await refusalOf(SIGNED.replace("Suite: stable", "Suite: stabel"));
  expect(refusal?.expected?.split(", ")).toEqual(named.map(([, fingerprint]) => fingerprint));
});

it("any change of one character of the signed text is refused", async () => {
  const start = SIGNED.indexOf("Origin:");
  const end = SIGNED.indexOf("-----BEGIN PGP SIGNATURE");
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: start, max: end - 2 }), async (at) => {
      const changed = SIGNED[at] === "0" ? "1" : "0";
      expect((await refusalOf(SIGNED.slice(0, at) + changed + SIGNED.slice(at + 1)))?.code).toBe(
        "BP-RESOLVE-001",
      );
    }),
    { numRuns: 10 },
  );
});

it("a Release without a key to hold it against is refused", async () => {
  await expect(openClearSigned(SIGNED, [], AT, "InRelease")).rejects.toThrow(BuildError);
});

it("a signature from the future, or older than its key, is refused; one that outlived its key is not", async () => {
  const at = (date: string) => openClearSigned(SIGNED, keys, new Date(date), "InRelease");
  await expect(at("2026-11-20T00:00:00Z")).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-001" }),
  );
  await expect(at("2020-01-01T00:00:00Z")).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-001" }),
  );
  expect((await at("2040-01-01T00:00:00Z")).signedBy).toHaveLength(3);
});

it("any text is signed or refused in our words", async () => {
  const parts = fc.constantFrom(
    "-----BEGIN PGP SIGNED MESSAGE-----\n",
    "Hash: SHA256\n",
    "\n",
    "x\n",
    "- -\n",
    "-----BEGIN PGP SIGNATURE-----\n",
    "iQ==\n",
    "=abcd\n",
    "-----END PGP SIGNATURE-----\n",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { maxLength: 8 }), async (list) => {
      const text = `-----BEGIN PGP SIGNED MESSAGE-----\n${list.join("")}-----END PGP SIGNATURE-----\n`;
      expect((await refusalOf(text))?.code).toBe("BP-RESOLVE-001");
    }),
    { numRuns: 50 },
  );
});

async function refusalOf(text: string): Promise<BuildError | undefined> {
  try {
    await openClearSigned(text, keys, AT, "InRelease");
    return undefined;
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}
