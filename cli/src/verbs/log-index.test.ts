import { cp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readFile } from "node:fs/promises";

import { formatHex, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { leafHash } from "@bootproof/log";
import { formatStatement, IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "@bootproof/statement";
import { KeyIndex } from "@bootproof/store/key-index";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

const key = makeSigningKey("publisher.example/key", new Uint8Array(32).fill(3));
const digest = (at: number): string => `${at}`.padStart(2, "0").repeat(32);
const statement = (at: number): Uint8Array =>
  formatStatement({
    subject: [{ name: `file-${at}`, digest: { sha256: digest(at) } }],
    predicateType: "https://example.org/type",
    predicate: {},
  });

describe("log index: a lookup must find what is logged, with an index and without", () => {
  let folder: string;
  let log: string;
  const seal = async (at: number): Promise<string> => {
    const file = join(folder, `${at}.json`);
    await writeFile(file, await signEnvelope(IN_TOTO_PAYLOAD_TYPE, statement(at), signerOf(key)));
    return file;
  };
  const json = async (
    ...argv: string[]
  ): Promise<{ exit: number; stderr: string } & Record<string, unknown>> => {
    const { exit, stdout, stderr } = await run([...argv, "--json"], {
      XDG_STATE_HOME: join(folder, "state"),
    });
    return { exit, stderr, ...(stdout === "" ? {} : (JSON.parse(stdout) as object)) };
  };
  const indexOf = (log: string): string => join(`${log}.private`, "lookup.sqlite");
  beforeAll(async () => {
    folder = await scratchFolder();
    log = join(folder, "log");
    await run(["log", "init", "--log", log, "--origin", "example.org/log"]);
    await run(["log", "add", await seal(1), await seal(2), "--log", log]);
  });

  it("says whether it looked into an index, and reads what the index does not cover", async () => {
    const scanned = await json("lookup", digest(2), "--log", log);
    expect(scanned).toMatchObject({ exit: 0, indexed: 0, found: [{ index: 1, what: "artifact file-2" }] });
    expect(scanned.stderr).toContain("looked through all 2 entries");
    expect(await json("log", "index", "build", "--log", log)).toMatchObject({ exit: 0, added: 2, keys: 6 });
    await run(["log", "add", await seal(3), "--log", log]);
    const both = await json("lookup", digest(3), "--log", log);
    expect(both).toMatchObject({ exit: 0, indexed: 2, found: [{ index: 2 }] });
    expect(both.stderr).toContain("1 entries that it does not cover");
    expect(await json("log", "index", "build", "--log", log)).toMatchObject({ exit: 0, added: 1 });
    const indexed = await json("lookup", `${key.vkey.name}+${key.vkey.keyId}`, "--log", log);
    expect(indexed).toMatchObject({ exit: 0, indexed: 3, found: [{ index: 0 }, { index: 1 }, { index: 2 }] });
    expect(indexed.stderr).toContain("looked into the index");
    expect((await json("lookup", "0".repeat(64), "--log", log)).exit).toBe(1);
  });

  it("is proved complete, and a missing or an extra key is named by its entry", async () => {
    expect(await json("log", "index", "verify", "--log", log)).toMatchObject({
      exit: 0,
      answer: "yes",
      entries: 3,
    });
    const other = join(folder, "other.sqlite");
    const keys = KeyIndex.open(other);
    keys.append([[], [], []]);
    keys.close();
    const wrong = await json("log", "index", "verify", "--log", log, "--index", other);
    expect(wrong).toMatchObject({ exit: 1, answer: "no", fault: { entry: 0 } });
    expect((await run(["log", "index", "verify", "--log", log, "--index", join(folder, "none")])).exit).toBe(
      66,
    );
    // An index of nothing that this log holds does not hide what it holds.
    expect(await json("lookup", digest(1), "--log", log, "--index", other)).toMatchObject({
      exit: 0,
      indexed: 0,
      found: [{ index: 0 }],
    });
  });

  it("is behind after the log has grown, and begun anew when it was damaged", async () => {
    await run(["log", "add", await seal(4), "--log", log]);
    expect(await json("log", "index", "verify", "--log", log)).toMatchObject({
      exit: 1,
      fault: { entry: 3 },
    });
    await writeFile(indexOf(log), "rubbish that is no database at all");
    await rm(`${indexOf(log)}-wal`, { force: true });
    expect(await json("log", "index", "build", "--log", log)).toMatchObject({ exit: 0, added: 4 });
    expect(await json("log", "index", "verify", "--log", log)).toMatchObject({ exit: 0 });
  });

  it("does not replace a file of somebody's that is no index", async () => {
    const notes = join(folder, "notes.txt");
    await writeFile(notes, "notes");
    for (const argv of [
      ["log", "index", "build"],
      ["log", "index", "verify"],
      ["lookup", digest(1)],
    ]) {
      expect((await run([...argv, "--log", log, "--index", notes])).exit).toBe(64);
      expect(await readFile(notes, "utf8")).toBe("notes");
    }
  });

  it("is built and used for a log at a URL", async () => {
    const copy = join(folder, "copy");
    await cp(log, copy, { recursive: true });
    const server = await serveFolder(copy);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = join(folder, "remote.sqlite");
    expect((await json("log", "index", "build", "--log", url)).exit).toBe(64);
    expect(await json("log", "index", "build", "--log", url, "--index", file)).toMatchObject({
      exit: 0,
      added: 4,
    });
    const leaf = formatHex(leafHash(new Uint8Array(await readFile(join(folder, "1.json")))));
    expect(await json("lookup", leaf, "--log", url, "--index", file)).toMatchObject({
      exit: 0,
      indexed: 4,
      found: [{ index: 0, what: "leaf hash" }],
    });
    expect(await json("log", "index", "verify", "--log", url, "--index", file)).toMatchObject({ exit: 0 });
    server.close();
  });

  it("does not hide an entry that is no statement", async () => {
    const file = join(folder, "plain");
    await writeFile(file, utf8("plain"));
    await run(["log", "add", file, "--log", log]);
    await run(["log", "index", "build", "--log", log]);
    const leaf = formatHex(leafHash(utf8("plain")));
    expect(await json("lookup", leaf, "--log", log)).toMatchObject({
      exit: 0,
      found: [{ index: 4, kind: "entry" }],
    });
  });
});

function serveFolder(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    readFile(join(folder, request.url ?? "")).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
