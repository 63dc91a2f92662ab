import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { DirectoryBlobs } from "@bootproof/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchInputs, type FetchOptions, type FetchProgress } from "./inputs.ts";
import type { BuildingLock, SourceOrigin } from "./lock.ts";
import { TestMirror } from "./mirror-server.testing.ts";
import { debBytes, debPath } from "./signed-archive.testing.ts";

const NAMES = ["bash", "coreutils", "gcc", "libc6", "make", "sed", "tar", "xz-utils"];
const hex = (bytes: Uint8Array): string => formatHex(sha256(bytes));

let folder: string;
let store: string;
let mirror: TestMirror;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-inputs-"));
  store = join(folder, "store");
  await mkdir(store);
  mirror = new TestMirror(new Map(NAMES.map((name) => [debPath(name), debBytes(name)])));
  url = await mirror.start();
});
afterEach(async () => {
  await mirror.stop();
  await rm(folder, { recursive: true });
});

function lockOf(
  names: readonly string[],
  sources: readonly [name: string, bytes: Uint8Array, origin: SourceOrigin][] = [],
): BuildingLock {
  return {
    form: "building",
    request: { suite: "trixie", packages: [], sources: [] },
    releases: [
      {
        suite: "trixie",
        date: "Sat, 21 Nov 2026 09:15:44 UTC",
        validUntil: undefined,
        expired: false,
        signedBy: [],
      },
    ],
    packages: names.map((name) => ({
      name,
      version: "1",
      arch: "amd64",
      size: debBytes(name).length,
      sha256: hex(debBytes(name)),
      path: debPath(name),
    })),
    sources: sources.map(([name, bytes, origin]) => ({
      name,
      size: bytes.length,
      sha256: hex(bytes),
      origin,
    })),
  };
}

const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({
  store,
  mirrors: [url],
  aptRoot: null,
  idleMs: 2000,
  ...more,
});
const stored = async (name: string): Promise<Uint8Array | undefined> =>
  (await DirectoryBlobs.open(store)).get(hex(debBytes(name)));
const refusal = (code: string, more: object = {}) =>
  expect.objectContaining({ name: "BuildError", code, ...more }) as Error;
const naming = (...texts: string[]) =>
  expect.stringMatching(
    new RegExp(texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]*")),
  ) as string;

it("every input is in the store, and a second time nothing is asked of anybody", async () => {
  expect(await fetchInputs(lockOf(NAMES), options())).toEqual({
    inputs: 8,
    bytes: expect.any(Number) as number,
    fetched: 8,
  });
  for (const name of NAMES) expect(await stored(name)).toEqual(new Uint8Array(debBytes(name)));
  const asked = mirror.seen.length;
  expect(await fetchInputs(lockOf(NAMES), options())).toMatchObject({ fetched: 0 });
  expect(mirror.seen).toHaveLength(asked);
  expect(await readdir(join(store, "partial"))).toEqual([]);
});

it("progress only grows, and ends with everything", async () => {
  const seen: FetchProgress[] = [];
  const { bytes } = await fetchInputs(
    lockOf(NAMES),
    options({ onProgress: (progress) => seen.push(progress) }),
  );
  expect(seen.at(-1)).toMatchObject({ inputs: { done: 8, total: 8 }, bytes: { done: bytes, total: bytes } });
  expect(seen.map((progress) => progress.bytes.done)).toEqual(
    seen.map((progress) => progress.bytes.done).toSorted((a, b) => a - b),
  );
});

describe("a mirror that lies", () => {
  it("is passed over for the next one", async () => {
    const liar = new TestMirror(new Map(NAMES.map((name) => [debPath(name), debBytes(`${name}!`)])));
    const lies = await liar.start();
    await fetchInputs(lockOf(NAMES), options({ mirrors: [lies, url] }));
    await liar.stop();
    for (const name of NAMES) expect(await stored(name)).toEqual(new Uint8Array(debBytes(name)));
  });

  it("is named with both hashes when nobody has the right bytes, and its bytes are not kept", async () => {
    mirror.always(debPath("gcc"), "lie");
    const lie = debBytes("gcc").map((byte) => byte ^ 1);
    await expect(fetchInputs(lockOf(NAMES), options())).rejects.toThrow(
      refusal("BP-INPUT-002", {
        expected: hex(debBytes("gcc")),
        found: hex(lie),
        message: naming("gcc_1_amd64.deb", url, hex(lie)),
      }),
    );
    expect(await stored("gcc")).toBeUndefined();
    expect(await (await DirectoryBlobs.open(store)).has(hex(lie))).toBe(false);
  });
});

it("an input that is gone is named with every mirror that was asked and its answer", async () => {
  const other = new TestMirror(new Map());
  const second = await other.start();
  other.always(debPath("sed"), 403);
  mirror.files.delete(debPath("sed"));
  await expect(fetchInputs(lockOf(["sed"]), options({ mirrors: [url, second] }))).rejects.toThrow(
    refusal("BP-INPUT-001", {
      message: naming("sed_1_amd64.deb", `${url}: answered 404`, `${second}: answered 403`),
    }),
  );
  await other.stop();
});

it("mirrors that do not answer are no proof that an input is gone", async () => {
  const down = new TestMirror(new Map());
  const nobody = await down.start();
  await down.stop();
  const refused = refusal("BP-INPUT-008", { message: naming("sed_1_amd64.deb", nobody) });
  await expect(fetchInputs(lockOf(["sed"]), options({ mirrors: [nobody] }))).rejects.toThrow(refused);
  mirror.files.delete(debPath("sed"));
  await expect(fetchInputs(lockOf(["sed"]), options({ mirrors: [nobody, url] }))).rejects.toThrow(
    refusal("BP-INPUT-001"),
  );
});

it("what had come before a failure is kept, and the next run goes on from there", async () => {
  mirror.always(debPath("xz-utils"), 404);
  await expect(fetchInputs(lockOf(NAMES), options({ connections: 1 }))).rejects.toThrow(
    refusal("BP-INPUT-001"),
  );
  mirror.misbehave.clear();
  expect(await fetchInputs(lockOf(NAMES), options())).toMatchObject({ fetched: 1 });
});

describe("offline", () => {
  it("what is in the store is enough, and nobody is asked", async () => {
    await fetchInputs(lockOf(NAMES), options());
    const asked = mirror.seen.length;
    await fetchInputs(lockOf(NAMES), options({ offline: true }));
    expect(mirror.seen).toHaveLength(asked);
  });

  it("an input that is not there is named, and nobody is asked", async () => {
    await expect(fetchInputs(lockOf(["bash"]), options({ offline: true }))).rejects.toThrow(
      refusal("BP-INPUT-003", {
        message: naming("bash_1_amd64.deb: not in the store, and the network may not be used"),
        hint: naming("--from DIR"),
      }),
    );
    expect(mirror.seen).toEqual([]);
  });

  it("a vendored folder will do", async () => {
    await vendor({
      [debPath("bash")]: debBytes("bash"),
      "gcc_1_amd64.deb": debBytes("gcc"),
      [`materials/sha256/${hex(debBytes("sed"))}`]: debBytes("sed"),
      [`sha256/${hex(debBytes("tar"))}`]: debBytes("tar"),
    });
    await fetchInputs(
      lockOf(["bash", "gcc", "sed", "tar"]),
      options({ offline: true, from: [join(folder, "vendored")] }),
    );
    for (const name of ["bash", "gcc", "sed", "tar"])
      expect(await stored(name)).toEqual(new Uint8Array(debBytes(name)));
  });

  it("a vendored file with other bytes is named and not kept", async () => {
    await vendor({ [debPath("bash")]: debBytes("evil") });
    await expect(
      fetchInputs(lockOf(["bash"]), options({ offline: true, from: [join(folder, "vendored")] })),
    ).rejects.toThrow(
      refusal("BP-INPUT-003", {
        message: naming(debPath("bash"), `holds other bytes, sha256 ${hex(debBytes("evil"))}`),
      }),
    );
    expect(await stored("evil")).toBeUndefined();
  });
});

it("a vendored tree behind a URL is asked by hash", async () => {
  const materials = new TestMirror(
    new Map([[`materials/sha256/${hex(debBytes("bash"))}`, debBytes("bash")]]),
  );
  const from = await materials.start();
  await fetchInputs(lockOf(["bash"]), options({ from: [from], mirrors: [] }));
  await materials.stop();
  expect(await stored("bash")).toBeDefined();
});

it("the archive of old states is asked last, for the day after the lock's Release", async () => {
  const old = new TestMirror(
    new Map([[`archive/debian/20261122T091544Z/${debPath("bash")}`, debBytes("bash")]]),
  );
  const snapshot = await old.start();
  mirror.files.clear();
  await fetchInputs(lockOf(["bash"]), options({ snapshot }));
  await old.stop();
  expect(mirror.seen).toHaveLength(1);
  expect(await stored("bash")).toBeDefined();
});

describe("a file beside the recipe", () => {
  const BYTES = utf8("CONFIG_64BIT=y\n");
  const lock = lockOf([], [["linux.config", BYTES, { kind: "file", path: "config/linux.config" }]]);

  it("comes from there, or from the store when only the lock is at hand", async () => {
    await vendor({ "config/linux.config": BYTES });
    await fetchInputs(lock, options({ recipeFolder: join(folder, "vendored") }));
    await fetchInputs(lock, options({ offline: true }));
  });

  it("that was edited since it was locked is refused, although the store has the old one", async () => {
    await vendor({ "config/linux.config": BYTES });
    await fetchInputs(lock, options({ recipeFolder: join(folder, "vendored") }));
    await vendor({ "config/linux.config": utf8("CONFIG_64BIT=n\n") });
    await expect(fetchInputs(lock, options({ recipeFolder: join(folder, "vendored") }))).rejects.toThrow(
      refusal("BP-INPUT-002", {
        message: naming("linux.config: has changed since it was locked"),
        hint: naming("bootproof lock"),
      }),
    );
  });
});

it("a link out of the recipe's folder, or a folder, is no source", async () => {
  const lock = lockOf([], [["passwd", utf8("x"), { kind: "file", path: "config/passwd" }]]);
  await vendor({ "config/linux.config": utf8("x") });
  await symlink("/etc/passwd", join(folder, "vendored/config/passwd"));
  const fetching = () => fetchInputs(lock, options({ recipeFolder: join(folder, "vendored") }));
  await expect(fetching()).rejects.toThrow(refusal("BP-RECIPE-006", { found: "/etc/passwd" }));
  await rm(join(folder, "vendored/config/passwd"));
  await mkdir(join(folder, "vendored/config/passwd"));
  await expect(fetching()).rejects.toThrow(
    refusal("BP-RECIPE-006", { message: naming("is not a regular file") }),
  );
});

it("a file at a URL is asked there when no vendored place has it", async () => {
  const bytes = utf8("a patch");
  mirror.files.set("p.patch", bytes);
  const lock = lockOf([], [["p.patch", bytes, { kind: "url", url: `${url}/p.patch` }]]);
  await fetchInputs(lock, options({ mirrors: [] }));
  mirror.files.set("p.patch", utf8("another"));
  await rm(store, { recursive: true });
  await mkdir(store);
  await expect(fetchInputs(lock, options({ mirrors: [] }))).rejects.toThrow(refusal("BP-INPUT-002"));
});

it("the caller's signal ends everything with the caller's reason", async () => {
  for (const name of NAMES) mirror.always(debPath(name), "silent");
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(fetchInputs(lockOf(NAMES), options({ signal: stop.signal }))).rejects.toThrow("enough");
});

it("a store that cannot be written is named, with what to do", async () => {
  await writeFile(join(store, "partial"), "a file where the folder should be");
  await expect(fetchInputs(lockOf(["bash"]), options())).rejects.toThrow(
    refusal("BP-INPUT-005", { message: naming(join(store, "partial")), hint: naming("BOOTPROOF_STORE") }),
  );
});

it("a process killed in the middle leaves nothing half-written, and the next goes on where it stopped", async () => {
  const big = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) ^ (index >> 9));
  mirror.files.set("big.tar", big);
  const lock = lockOf([], [["big.tar", big, { kind: "url", url: `${url}/big.tar` }]]);
  mirror.misbehave.set("big.tar", ["break", "silent", "silent", "silent"]);
  const script = join(folder, "fetch.ts");
  await writeFile(
    script,
    `import { fetchInputs } from ${JSON.stringify(join(import.meta.dirname, "inputs.ts"))};
await fetchInputs(${JSON.stringify(lock)}, ${JSON.stringify({ ...options(), idleMs: 60_000 })});`,
  );
  const child = spawn(process.execPath, ["--conditions=@bootproof/source", script], { stdio: "ignore" });
  const ended = once(child, "exit");
  // The second request asks for the rest: by then the first half is on disk.
  while (mirror.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  await ended;
  const [partial] = await readdir(join(store, "partial"));
  const half = await readFile(join(store, "partial", partial!));
  expect(half.length).toBeGreaterThan(0);
  expect(new Uint8Array(half)).toEqual(big.subarray(0, half.length));

  mirror.misbehave.clear();
  await fetchInputs(lock, options());
  expect(mirror.seen.at(-1)?.range).toBe(`bytes=${half.length}-`);
  expect(await (await DirectoryBlobs.open(store)).get(hex(big))).toEqual(big);
  expect(await readdir(join(store, "partial"))).toEqual([]);
});

async function vendor(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, "vendored", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
