/**
 * What the tests run in processes of their own: `worker.testing.ts <verb> <root> [argument]`. Prints one JSON line.
 * @module
 */
import { utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { formatHex, sha256 as hash, utf8 } from "@bootproof/bytes";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { DirectoryHead } from "./directory-head.ts";
import { DirectoryObjects } from "./directory-objects.ts";
import { PostgresDatabase, PostgresHead, PostgresQueue } from "./postgres.ts";
import { StoreError } from "./store-error.ts";

const [verb = "", root = "", argument = ""] = process.argv.slice(2);
const report = (value: object): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Blobs that every process makes alike. */
const shared = (index: number): Uint8Array => new Uint8Array(20_000).fill(index);

/** Commits generations until the head reaches a target; reports which ones were ours. */
async function advance(head: Pick<DirectoryHead, "read" | "compareAndSwap">): Promise<void> {
  const won: number[] = [];
  for (;;) {
    const generation = (await head.read())?.generation ?? 0;
    if (generation >= Number(argument)) break;
    if ((await head.compareAndSwap(generation, utf8(`${process.pid}`))) === "committed")
      won.push(generation + 1);
  }
  report({ won });
}

const VERBS: Readonly<Record<string, () => Promise<void>>> = {
  async "put-shared"() {
    const blobs = await DirectoryBlobs.open(root);
    const put = Array.from({ length: Number(argument) }, (_, index) => blobs.put(shared(index)));
    report({ names: (await Promise.all(put)).map(({ sha256 }) => sha256) });
  },

  /** Makes a blob look old, so that a collector wants it, and puts it: from then on it must be there. */
  async "put-and-read"() {
    const blobs = await DirectoryBlobs.open(root);
    let lost = 0;
    for (let round = 0; round < Number(argument); round++) {
      const bytes = shared(round % 5);
      const longAgo = new Date(Date.now() - 2 * 3600 * 1000);
      await utimes(blobs.path(formatHex(hash(bytes))), longAgo, longAgo).catch(() => undefined);
      await sleep(1);
      const { sha256 } = await blobs.put(bytes);
      if (!(await blobs.has(sha256)) || (await blobs.get(sha256)) === undefined) lost++;
    }
    report({ lost });
  },

  async "stream-forever"() {
    const blobs = await DirectoryBlobs.open(root);
    await blobs.putStream(
      (async function* () {
        for (let sent = 0; ; sent++) {
          yield shared(sent % 256);
          if (sent === 10) report({ sent });
          await sleep(5);
        }
      })(),
    );
  },

  async "put-large"() {
    const blobs = await DirectoryBlobs.open(root);
    await blobs.put(new Uint8Array(Number(argument)).fill(1));
    report({ stored: true });
  },

  async "create-object"() {
    const objects = await DirectoryObjects.open(root);
    await objects.putImmutable("one/object", utf8(argument));
    report({ created: argument });
  },

  async "hold-lock"() {
    const lock = await (await DirectoryHead.open(root)).lock();
    report({ held: lock !== undefined });
    if (lock !== undefined) await sleep(60_000);
  },

  async "advance-head"() {
    await advance(await DirectoryHead.open(root));
  },

  async "advance-postgres-head"() {
    await advance(new PostgresHead(await PostgresDatabase.open({ url: root }), "raced"));
  },

  async "hold-postgres-lock"() {
    const lock = await new PostgresHead(await PostgresDatabase.open({ url: root }), "held").lock();
    report({ held: lock !== undefined });
    if (lock !== undefined) await sleep(60_000);
  },

  async "release-postgres-lock"() {
    const database = await PostgresDatabase.open({ url: root });
    const lock = await new PostgresHead(database, "released").lock();
    await database.close();
    await lock?.release();
    report({ released: lock !== undefined });
  },

  /** A front end: puts entries, many at once, that others put too, and waits for the index of each. */
  async "put-postgres-queue"() {
    const queue = new PostgresQueue(await PostgresDatabase.open({ url: root }), "fed");
    const puts = Array.from({ length: Number(argument) }, async (_, at) => {
      const identity = hash(shared(at));
      await queue.put(identity, utf8(`entry ${at}`), 100_000);
      for (;;) {
        const index = await queue.find(identity);
        if (index !== undefined) return Number(index);
        await sleep(20);
      }
    });
    report({ indices: await Promise.all(puts) });
  },
};

try {
  await VERBS[verb]?.();
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  const { code, message, file, hint } = error;
  report({ code, message, file, hint });
}
