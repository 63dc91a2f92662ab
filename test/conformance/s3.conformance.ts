/**
 * Our store on servers of S3 that are not ours: versitygw, built with the machine's `go`, and moto, installed with its
 * `python3`, keep to conditional writes, and a whole log lives on each; s3rver, installed with its `npm`, does not, and is
 * refused. What is missing is said, and the tests that need it are skipped.
 *
 *     vitest run --config test/conformance/vitest.config.ts s3
 * @module
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { utf8 } from "@bootproof/bytes";
import { Log } from "@bootproof/log";
import { S3Bucket, S3Head, S3Objects, type S3Options } from "@bootproof/store/s3";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { collect, crashEverywhere, logOn, raceWriters, type Stores } from "../e2e/log-crash-points.ts";
import { freePort } from "../free-port.ts";

const VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const MOTO = "moto[s3,server]==5.2.5";
const S3RVER = "s3rver@3.7.1";
/** What s3rver knows without being told. */
const CREDENTIALS = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
const BUCKET = "bootproof";

type Name = "versitygw" | "moto" | "s3rver";

let folder = "";
const endpoints = new Map<Name, string>();
const running: { readonly kill: () => unknown; readonly ended: Promise<unknown> }[] = [];

/** Runs one step of an installation; false, aloud, when it cannot be. */
async function install(name: Name, file: string, args: readonly string[]): Promise<boolean> {
  const env = { GOBIN: path.join(folder, "bin") };
  const result = await execa(file, args, { cwd: folder, env, reject: false });
  if (result.failed) console.log(`skipped: ${name} cannot be installed: ${result.shortMessage}`);
  return !result.failed;
}

/** Starts a server and waits until something answers. */
async function serve(name: Name, file: string, args: (port: number) => readonly string[]): Promise<void> {
  const port = await freePort();
  const server = execa(file, args(port), { cwd: folder, reject: false, stdio: "ignore" });
  running.push({ kill: () => server.kill("SIGKILL"), ended: server });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tried = 0; ; tried++) {
    try {
      await fetch(endpoint);
      break;
    } catch (error) {
      if (tried === 300) throw error;
      await sleep(100);
    }
  }
  endpoints.set(name, endpoint);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "bootproof-s3-"));
  await Promise.all([
    mkdir(path.join(folder, "versitygw", BUCKET), { recursive: true }),
    mkdir(path.join(folder, "s3rver")),
  ]);
  if (await install("versitygw", "go", ["install", VERSITYGW])) {
    const keys = ["--access", CREDENTIALS.accessKeyId, "--secret", CREDENTIALS.secretAccessKey];
    await serve("versitygw", path.join(folder, "bin/versitygw"), (port) => [
      ...[...keys, "--keep-alive", "--quiet"],
      ...["--port", `127.0.0.1:${port}`, "posix", path.join(folder, "versitygw")],
    ]);
  }
  const python = path.join(folder, "moto/bin");
  if (
    (await install("moto", "python3", ["-m", "venv", path.join(folder, "moto")])) &&
    (await install("moto", path.join(python, "pip"), ["install", "--quiet", MOTO]))
  ) {
    await serve("moto", path.join(python, "moto_server"), (port) => ["-p", String(port)]);
    // It lets whoever asks in, without looking at the signature.
    await fetch(`${endpoints.get("moto") ?? ""}/${BUCKET}`, { method: "PUT" });
  }
  if (await install("s3rver", "npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", S3RVER]))
    await serve("s3rver", path.join(folder, "node_modules/.bin/s3rver"), (port) => [
      ...["-d", path.join(folder, "s3rver"), "-p", String(port), "--configure-bucket", BUCKET],
    ]);
});

afterAll(async () => {
  for (const { kill } of running) kill();
  await Promise.all(running.map(({ ended }) => ended));
  await rm(folder, { recursive: true, force: true });
});

async function open(context: TestContext, name: Name, options: Partial<S3Options> = {}): Promise<S3Bucket> {
  const endpoint = endpoints.get(name);
  if (endpoint === undefined) return context.skip(`${name} is not here`);
  return S3Bucket.open({
    endpoint,
    region: "us-east-1",
    bucket: BUCKET,
    credentials: CREDENTIALS,
    ...options,
  });
}

const storesOn = (bucket: S3Bucket, log: string): Stores => ({
  objects: new S3Objects(bucket, `${log}/public`),
  staging: new S3Objects(bucket, `${log}/private`),
  head: new S3Head(bucket, `${log}/head`),
});

describe.each(["versitygw", "moto"] as const)("on %s", (name) => {
  it("the conditions of a write hold, in many races", async (context) => {
    const bucket = await open(context, name, { prefix: "probed" });
    for (let times = 0; times < 10; times++) await bucket.probe();
    expect(await bucket.list("")).toEqual([]);
  });

  it("names, bytes, pages of lists and absent objects are as they should be", async (context) => {
    const bucket = await open(context, name, { prefix: "named/a" });
    const objects = new S3Objects(bucket, "x");
    const keys = Array.from({ length: 1203 }, (_, at) => `many/${String(at).padStart(4, "0")}a+b@c=d.p`);
    await objects.putImmutables(keys.map((key) => ({ key, bytes: utf8(key) })));
    expect(await objects.list("many/")).toEqual(keys);
    expect(await objects.get(keys[7] ?? "")).toEqual(utf8(keys[7] ?? ""));
    await objects.putImmutable(keys[7] ?? "", utf8(keys[7] ?? ""));
    await expect(objects.putImmutable(keys[7] ?? "", utf8("other"))).rejects.toMatchObject({
      code: "BP-STORE-007",
    });
    const large = new Uint8Array(10 * 1024 * 1024).map((_, at) => at % 251);
    await objects.putMutable("large", large);
    expect(Buffer.compare((await objects.get("large")) ?? utf8(""), large)).toBe(0);
    await objects.putMutable("empty", utf8(""));
    expect(await objects.get("empty")).toEqual(utf8(""));
    await objects.delete("empty");
    await objects.delete("empty");
    expect(await objects.get("empty")).toBeUndefined();
    const overtake = (): Promise<void> => objects.putMutable("large", utf8("new"), () => Promise.resolve());
    await expect(objects.putMutable("large", utf8("stale"), overtake)).rejects.toMatchObject({
      code: "BP-STORE-020",
    });
    const nowhere = await open(context, name, { bucket: "no-such-bucket" });
    await expect(nowhere.get("head")).rejects.toMatchObject({ code: "BP-STORE-023" });
  });

  it("readers without credentials of ours would get types and ages", async (context) => {
    const bucket = await open(context, name, { prefix: "typed" });
    await new S3Objects(bucket).putImmutable("tile/0/000", utf8("tile"));
    const seen: Headers[] = [];
    const note: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      seen.push(response.headers);
      return response;
    };
    const endpoint = endpoints.get(name) ?? "";
    const options = {
      endpoint,
      region: "us-east-1",
      bucket: BUCKET,
      prefix: "typed",
      credentials: CREDENTIALS,
    };
    await (await S3Bucket.open(options, note)).get("tile/0/000");
    expect(seen[0]?.get("content-type")).toBe("application/octet-stream");
    expect(seen[0]?.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  it("100 generations of a head go to exactly one of four writers each", async (context) => {
    const advance = async (): Promise<number[]> => {
      const head = new S3Head(await open(context, name, { prefix: "raced" }));
      const won: number[] = [];
      for (;;) {
        const generation = (await head.read())?.generation ?? 0;
        if (generation >= 100) return won;
        if ((await head.compareAndSwap(generation, utf8("x"))) === "committed") won.push(generation + 1);
      }
    };
    const all = (await Promise.all([advance(), advance(), advance(), advance()])).flat();
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it.for(["undone", "done"] as const)(
    "a log is whole after a crash at any of its writes (%s)",
    async (fate, context) => {
      const stores = storesOn(await open(context, name, { prefix: "logs" }), fate);
      expect(await crashEverywhere(stores, fate)).toBeGreaterThan(10);
      expect(await collect(stores)).toBeGreaterThan(10);
    },
  );

  it("the slower of two writers of a log stops", async (context) => {
    const bucket = await open(context, name, { prefix: "two" });
    await (await Log.create(logOn(storesOn(bucket, "log")))).close();
    expect(await raceWriters(storesOn(bucket, "log"), storesOn(bucket, "log"))).toBe("CONFLICT");
  });
});

describe("on s3rver, which ignores conditions", () => {
  it("no log is kept", async (context) => {
    const bucket = await open(context, "s3rver");
    await expect(bucket.probe()).rejects.toMatchObject({ code: "BP-STORE-021" });
  });
});
