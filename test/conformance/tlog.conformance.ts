/**
 * Logs of ours before two judges that share no code with us: a verifier on Go's x/mod (./tlog) and Tessera's fsck.
 * Both are built with the machine's `go`; without it, or without a way to its modules, the tests say "skipped".
 *
 *     vitest run --config test/conformance/vitest.config.ts tlog
 * @module
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { sha256, utf8 } from "@bootproof/bytes";
import { audit, ed25519Signer, Log } from "@bootproof/log";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SIZES = [0, 1, 2, 3, 7, 8, 100, 255, 256, 257, 300, 511, 512, 513] as const;
const TESSERA_FSCK = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4";
const signer = ed25519Signer("log.example.test/conformance", sha256(utf8("conformance test seed")));

let folder = "";
const judges = new Map<string, string>();

async function build(name: string, args: readonly string[], cwd: string): Promise<void> {
  const bin = path.join(folder, "bin");
  const result = await execa("go", args, { cwd, env: { GOBIN: bin }, reject: false });
  if (result.failed) console.log(`skipped: ${name} cannot be built: ${result.shortMessage}`);
  else judges.set(name, path.join(bin, name));
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-conformance-"));
  await mkdir(path.join(folder, "bin"));
  await writeFile(path.join(folder, "key.pub"), signer.vkey);
  await build("tlog", ["install", "."], path.join(import.meta.dirname, "tlog"));
  await build("fsck", ["install", TESSERA_FSCK], folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A log in a fresh directory, grown in batches so that it passes through every size given. */
async function grow(name: string, sizes: readonly number[]): Promise<{ log: Log; directory: string }> {
  const directory = path.join(folder, name, "public");
  const hidden = path.join(folder, name, "private");
  const log = await Log.create({
    origin: signer.name,
    signer,
    objects: await DirectoryObjects.open(directory),
    staging: await DirectoryObjects.open(hidden),
    head: await DirectoryHead.open(path.join(hidden, "head")),
  });
  let size = 0;
  for (const next of sizes) {
    const entries = Array.from({ length: next - size }, (_, at) =>
      utf8(`entry ${size + at} ${"x".repeat(at % 90)}`),
    );
    await log.append(entries);
    size = next;
  }
  return { log, directory };
}

/** fsck v1.0.4 was seen not to end on a damaged bundle; a whole log of this size takes it well under a second. */
const PATIENCE = 5_000;

/** What a judge says of a log directory. fsck exits with 0 when it finds a fault, so its words decide. */
async function judge(name: "tlog" | "fsck", directory: string): Promise<{ ok: boolean; words: string }> {
  const args =
    name === "tlog"
      ? [directory, signer.vkey]
      : [
          "--ui=false",
          `--storage_url=${pathToFileURL(directory).href}/`,
          `--public_key=${path.join(folder, "key.pub")}`,
        ];
  const result = await execa(judges.get(name) ?? name, args, { all: true, reject: false, timeout: PATIENCE });
  const agrees = name === "tlog" || result.all.includes("Successfully fsck'd log");
  return { ok: result.exitCode === 0 && agrees, words: result.all };
}

async function filesOf(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
}

/** Flips one bit of each file in turn and puts it right again. */
async function* damage(directory: string): AsyncGenerator<string> {
  for (const file of await filesOf(directory)) {
    const bytes = await readFile(file);
    if (bytes.length === 0) continue;
    const wrong = Uint8Array.from(bytes);
    const at = Math.floor(bytes.length / 2);
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    await rm(file);
    await writeFile(file, wrong);
    yield path.relative(directory, file);
    await rm(file);
    await writeFile(file, bytes);
  }
}

describe.each(["tlog", "fsck"] as const)("logs of ours before %s", (name) => {
  it.for(SIZES)("a log of %i entries, written at once", async (size, { skip }) => {
    skip(!judges.has(name));
    const { log, directory } = await grow(`${name}-once-${size}`, [size]);
    const verdict = await judge(name, directory);
    expect(verdict).toMatchObject({ ok: true });
    expect((await log.audit()).fault).toBeUndefined();
  });

  it("a log grown through all these sizes, with every partial tile on the way", async ({ skip }) => {
    skip(!judges.has(name));
    const { directory } = await grow(`${name}-grown`, SIZES);
    expect(await judge(name, directory)).toMatchObject({ ok: true });
  });

  it("a flipped bit in any file: the judge says no, and our audit names the file", async ({ skip }) => {
    skip(!judges.has(name));
    const { log, directory } = await grow(`${name}-damaged`, [513]);
    const { head } = log.reader;
    const objects = await DirectoryObjects.open(directory);
    let flipped = 0;
    for await (const file of damage(directory)) {
      flipped++;
      if (name === "fsck" && file.startsWith("tile/entries/") && file !== "tile/entries/002.p/1") continue;
      expect([file, (await judge(name, directory)).ok]).toEqual([file, false]);
      if (file !== "checkpoint")
        expect((await audit((key) => objects.get(key), head)).fault).toMatchObject({ file });
    }
    expect(flipped).toBeGreaterThan(7);
    expect(await judge(name, directory)).toMatchObject({ ok: true });
  });
});
