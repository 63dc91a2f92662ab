import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "@bootproof/bytes";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DebianArchive, type ArchiveOptions } from "./debian-archive.ts";
import { openInputStore } from "./fetch-blob.ts";
import { TestMirror } from "./mirror-server.testing.ts";
import {
  clearSign,
  makeArchive,
  makeTestKey,
  type TestArchive,
  type TestKey,
} from "./signed-archive.testing.ts";

const PACKAGES = { bash: { depends: "libc6" }, libc6: {} };
const RELEASE = "dists/trixie/InRelease";
const INDEX = "dists/trixie/main/binary-amd64/Packages.xz";
const AT = new Date("2026-11-24T00:00:00Z");

let key: TestKey;
let folder: string;
let running: TestMirror[];

beforeAll(async () => {
  key = await makeTestKey();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-archive-"));
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((mirror) => mirror.stop()));
  await rm(folder, { recursive: true });
});

/** Starts mirrors of archives, each changed as the test says, and opens them as one. */
async function open(
  mirrors: readonly { archive?: TestArchive; change?: (mirror: TestMirror) => void; signedBy?: TestKey }[],
  options: Partial<ArchiveOptions> = {},
): Promise<DebianArchive> {
  const urls: string[] = [];
  for (const { archive = { packages: PACKAGES }, change, signedBy = key } of mirrors) {
    const mirror = new TestMirror(await makeArchive(archive, signedBy));
    change?.(mirror);
    running.push(mirror);
    urls.push(await mirror.start());
  }
  return new DebianArchive({
    store: await openInputStore(folder),
    mirrors: urls.map((url) => ({ kind: "archive", url })),
    keys: [key.publicKey],
    at: AT,
    ...options,
  });
}

const names = async (archive: DebianArchive): Promise<string[]> => [
  ...(await archive.packages("trixie")).packages.keys(),
];

it("packages come from the index that the signed Release names, each index read once", async () => {
  const archive = await open([{}]);
  expect(await names(archive)).toEqual(["bash", "libc6"]);
  expect(await names(archive)).toEqual(["bash", "libc6"]);
  expect(running[0]?.seen.map(({ path }) => path.replace(/[0-9a-f]{64}/, "<hash>"))).toEqual([
    RELEASE,
    "dists/trixie/main/binary-amd64/by-hash/SHA256/<hash>",
  ]);
});

it("the lock learns date, signer and that nothing has expired", async () => {
  const archive = await open([{}]);
  expect(await archive.release("trixie")).toEqual({
    suite: "trixie",
    date: "Sat, 21 Nov 2026 09:15:44 UTC",
    validUntil: undefined,
    expired: false,
    signedBy: [expect.stringMatching(/^[0-9A-F]{40}$/)],
  });
});

it("an index by its plain name does where the mirror has none by hash", async () => {
  expect(await names(await open([{ archive: { packages: PACKAGES, byHash: false } }]))).toEqual([
    "bash",
    "libc6",
  ]);
});

describe("a Release is refused", () => {
  const edit = (change: (text: string) => string) => (mirror: TestMirror) => {
    const before = Buffer.from(mirror.files.get(RELEASE) ?? []).toString();
    expect(change(before)).not.toBe(before);
    mirror.files.set(RELEASE, utf8(change(before)));
  };

  it.each([
    ["one character of its text is changed", edit((text) => text.replace("Suite: stable", "Suite: stabel"))],
    ["a line is added in front of it", edit((text) => `SHA256: none\n${text}`)],
    ["a line is added after it", edit((text) => `${text}\nSHA256: none\n`)],
    ["its signature is cut off", edit((text) => text.slice(0, text.indexOf("-----BEGIN PGP SIGNATURE")))],
    [
      "its signature is broken",
      edit((text) => text.replace(/(-----BEGIN PGP SIGNATURE-----\n\n.{20})./, "$1!")),
    ],
    ["it is not signed at all", edit(() => "Suite: stable\n")],
    ["it is empty", edit(() => "")],
  ])("when %s", async (_, change) => {
    await expect(names(await open([{ change }]))).rejects.toThrow(
      expect.objectContaining({ code: "BP-RESOLVE-001" }),
    );
  });

  it("when another key signed it", async () => {
    const archive = await open([{ signedBy: await makeTestKey() }]);
    await expect(names(archive)).rejects.toThrow(expect.objectContaining({ code: "BP-RESOLVE-001" }));
  });

  it("when it is signed in the future or the key is not yet made", async () => {
    await expect(names(await open([{}], { at: new Date("2025-06-01T00:00:00Z") }))).rejects.toThrow(
      expect.objectContaining({ code: "BP-RESOLVE-001" }),
    );
  });

  it("when it is another suite's, signed by the same key", async () => {
    const archive = await open([{ archive: { packages: PACKAGES, codename: "bookworm" } }]);
    await expect(names(archive)).rejects.toThrow(/is signed, but of another suite: bookworm/);
  });

  it("when it is signed but says nothing of indexes", async () => {
    const signed = await clearSign(
      "Suite: stable\nCodename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\n",
      key,
    );
    const archive = await open([{ change: (mirror) => mirror.files.set(RELEASE, utf8(signed)) }]);
    await expect(names(archive)).rejects.toThrow(/Release field SHA256/);
  });
});

it("an index with other bytes than Release names is refused, and the mirror named", async () => {
  const archive = await open([
    {
      archive: { packages: PACKAGES, byHash: false },
      change: (mirror) => {
        mirror.always(INDEX, "lie");
      },
    },
  ]);
  await expect(names(archive)).rejects.toThrow(
    expect.objectContaining({
      code: "BP-RESOLVE-002",
      found: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    }),
  );
});

it("a signed index that cannot be read is refused by name", async () => {
  const archive = await open([{ archive: { packagesIndex: "Package: bash\nVersion: 1\n\n" } }]);
  await expect(names(archive)).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-006", file: INDEX }),
  );
});

it("the next mirror is asked when the first is away, lies or is behind", async () => {
  const archive = await open([
    { change: (mirror) => mirror.files.clear() },
    { signedBy: await makeTestKey() },
    {
      archive: {
        packages: { old: {} },
        date: "Sun, 01 Nov 2026 00:00:00 UTC",
        validUntil: "Sun, 08 Nov 2026 00:00:00 UTC",
      },
    },
    {},
  ]);
  expect(await names(archive)).toEqual(["bash", "libc6"]);
});

it("where every mirror is behind, the newest is used and the lock says that it had expired", async () => {
  const archive = await open([
    {
      archive: {
        packages: { older: {} },
        date: "Sun, 01 Nov 2026 00:00:00 UTC",
        validUntil: "Sun, 08 Nov 2026 00:00:00 UTC",
      },
    },
    {
      archive: {
        packages: { newer: {} },
        date: "Mon, 02 Nov 2026 00:00:00 UTC",
        validUntil: "Mon, 09 Nov 2026 00:00:00 UTC",
      },
    },
  ]);
  expect(await archive.release("trixie")).toMatchObject({
    expired: true,
    date: "Mon, 02 Nov 2026 00:00:00 UTC",
    validUntil: "Mon, 09 Nov 2026 00:00:00 UTC",
  });
  expect(await names(archive)).toEqual(["newer"]);
});

it("without any mirror the error says how to name one", async () => {
  await expect(names(await open([]))).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-005", hint: expect.stringContaining("--mirror") as string }),
  );
});

it("offline, no mirror is asked", async () => {
  const archive = await open([{}], { offline: true });
  await expect(names(archive)).rejects.toThrow(expect.objectContaining({ code: "BP-RESOLVE-005" }));
  expect(running[0]?.seen).toEqual([]);
});

it("the tarball of a source package in exactly the version asked for", async () => {
  const archive = await open([{ archive: { sources: { edk2: "2025.02-8+deb13u1" } } }]);
  const request = { package: "edk2", version: "2025.02-8+deb13u1" };
  const found = await archive.sources("trixie", [request]);
  expect(found.map(({ name, origin }) => [name, origin])).toEqual([
    [
      "edk2_2025.02-8+deb13u1.tar.xz",
      { kind: "pool", path: "pool/main/e/edk2/edk2_2025.02-8+deb13u1.tar.xz" },
    ],
  ]);
  await expect(archive.sources("trixie", [{ ...request, version: "2025.02-7" }])).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-004", expected: "2025.02-7", found: "2025.02-8+deb13u1" }),
  );
  await expect(archive.sources("trixie", [{ package: "gone", version: "1" }])).rejects.toThrow(
    expect.objectContaining({ code: "BP-RESOLVE-004", found: "no source package of that name" }),
  );
});
