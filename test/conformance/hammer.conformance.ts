/**
 * `log serve` under Tessera's load generator, which also reads: its full and random readers check every bundle against
 * proofs, and it ends when a checkpoint is not consistent with the one before. Afterwards Tessera's fsck judges what was
 * written, and an entry that is posted again is where it was. Without `go`, or without a way to its modules, the tests are
 * skipped and say so.
 *
 *     vitest run --config test/conformance/vitest.config.ts hammer
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sizeOf, startBootproof, type LogServer } from "../bench/log/servers.ts";
import { tessera, type Tessera } from "../bench/peers/tessera.ts";

const SECONDS = 10;
/** Sizes at which the log is judged while it grows: the ends of bundles and of tiles above them. */
const GROWTH = [1, 254, 1, 1, 255, 1, 700];

let folder = "";
let peer: Tessera | undefined;
let server: LogServer | undefined;

beforeAll(async () => {
  const found = await tessera();
  if ("why" in found) {
    console.log(`skipped: ${found.name} cannot be built: ${found.why}`);
    return;
  }
  peer = found;
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-hammer-"));
});
afterAll(async () => {
  await server?.stop();
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

/** Runs the hammer; what it complained of. */
async function hammer({ url, vkey }: LogServer, ...options: readonly string[]): Promise<string[]> {
  const log = [`--log_url=${url}`, `--log_public_key=${vkey}`];
  const args = [...log, "--num_writers=64", "--show_ui=false", `--max_runtime=${SECONDS}s`, ...options];
  const { all, exitCode } = await execa(peer!.hammer, args, { reject: false, all: true, stdin: "ignore" });
  // It ends with 1 when its time is over, and with 255 when it was shown two trees.
  expect([exitCode, all]).toEqual([1, expect.stringContaining("Max runtime reached")]);
  // Reads that its own end cuts off are no complaint.
  return all.split("\n").filter((line) => /^[WEF][0-9]{4} /.test(line) && !line.includes("context canceled"));
}

async function fsck({ vkey }: LogServer): Promise<string> {
  const key = path.join(folder, "key.pub");
  await writeFile(key, vkey);
  const url = `${pathToFileURL(path.join(folder, "log")).href}/`;
  const args = ["--ui=false", `--storage_url=${url}`, `--public_key=${key}`];
  const { all } = await execa(peer!.fsck, args, { all: true, reject: false, timeout: 60_000 });
  return all;
}

async function add({ url }: LogServer, entry: string): Promise<string> {
  const response = await fetch(`${url}add`, { method: "POST", body: entry });
  expect(response.status).toBe(200);
  return response.text();
}

describe("log serve before Tessera's hammer", () => {
  it("is judged whole by fsck at every size on its way", async ({ skip }) => {
    skip(peer === undefined);
    server = await startBootproof(folder);
    let size = 0;
    for (const more of GROWTH) {
      const first = size;
      const indices = await Promise.all(
        Array.from({ length: more }, (_, at) => add(server!, `entry ${first + at}`)),
      );
      size += more;
      expect(new Set(indices.map(Number))).toEqual(new Set(indices.map((_, at) => first + at)));
      await expect.poll(() => sizeOf(server!.url)).toBe(size);
      expect(await fsck(server)).toContain("Successfully fsck'd log");
    }
  });

  it("takes new entries and old ones while it is read, without one complaint, and fsck agrees", async ({
    skip,
  }) => {
    skip(server === undefined);
    const complaints = await hammer(
      server!,
      "--max_write_ops=2000",
      "--max_read_ops=200",
      "--leaf_min_size=1024",
      "--dup_chance=0.2",
    );
    expect(complaints).toEqual([]);
    expect(await sizeOf(server!.url)).toBeGreaterThan(2000);
    expect(await fsck(server!)).toContain("Successfully fsck'd log");
  });

  it("says again where an entry is, when it is posted again by many at once", async ({ skip }) => {
    skip(server === undefined);
    const many = (text: string): Promise<string[]> =>
      Promise.all(Array.from({ length: 50 }, () => add(server!, text)));
    expect(new Set(await many("entry 0"))).toEqual(new Set(["0"]));
    const [index, ...others] = new Set(await many("nobody had this"));
    expect(others).toEqual([]);
    await expect.poll(() => sizeOf(server!.url)).toBe(Number(index) + 1);
    const checkpoint = await readFile(path.join(folder, "log/checkpoint"), "utf8");
    expect(checkpoint.split("\n")[1]).toBe(String(Number(index) + 1));
  });
});
