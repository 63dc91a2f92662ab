import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { utf8 } from "@bootproof/bytes";
import { fetchCheckpoint, LogReader, noteVerifiers, type LogOptions } from "@bootproof/log";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunningServer } from "../http/frame.ts";
import type { Sequencer } from "../sequencing/sequencer.ts";
import { ask, newPlace, serve, SIGNER, startSequencer } from "../served-log.testing.ts";

let place: LogOptions & { readonly folder: string };
let sequencer: Sequencer;
let server: RunningServer;
const submit = (text: string): ReturnType<Sequencer["submit"]> => sequencer.submit(utf8(text));

beforeAll(async () => {
  place = await newPlace();
  sequencer = await startSequencer(place);
  await Promise.all(Array.from({ length: 300 }, async (_, at) => submit(`entry ${String(at)}`)));
  server = await serve(place, sequencer);
  await writeFile(join(place.folder, "public", "log.vkey"), `${SIGNER.vkey}\n`);
  await writeFile(join(place.folder, "public", "other.txt"), "not of the log\n");
  await mkdir(join(place.folder, "public", "tile", "0", "x000"), { recursive: true });
});
afterAll(() => server.stop());

const get = async (path: string, init?: RequestInit): Promise<Response> => fetch(server.url + path, init);

describe("the public files over HTTP: a reader that gets other bytes, or keeps wrong ones", () => {
  it("serves the checkpoint fresh, with a tag that saves it being sent again", async () => {
    const answer = await get("checkpoint");
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.text()).toBe(await readFile(join(place.folder, "public", "checkpoint"), "utf8"));
    const tag = answer.headers.get("etag") ?? "";
    for (const given of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
      const again = await get("checkpoint", { headers: { "if-none-match": given } });
      expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, tag, ""]);
    }
    expect((await get("checkpoint", { headers: { "if-none-match": '"x"' } })).status).toBe(200);
  });

  it("serves tiles and bundles that never change, whole and partial", async () => {
    for (const path of [
      "tile/0/000",
      "tile/0/001.p/44",
      "tile/1/000.p/1",
      "tile/entries/000",
      "tile/entries/001.p/44",
    ]) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.equals(await readFile(join(place.folder, "public", path)))).toBe(true);
    }
  });

  it("is enough to read the whole log", async () => {
    const fetchObject = async (path: string): Promise<Uint8Array | undefined> => {
      const answer = await get(path);
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
    };
    const checkpoint = await fetchCheckpoint(fetchObject, noteVerifiers([SIGNER.vkey]), "log.test");
    const reader = await LogReader.open(fetchObject, checkpoint);
    const entries: string[] = [];
    for await (const { entry } of reader.entries()) entries.push(new TextDecoder().decode(entry));
    expect(new Set(entries).size).toBe(300);
  });

  it("answers HEAD with the headers alone", async () => {
    const text = await ask(server.url, "HEAD /tile/0/000 HTTP/1.1");
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain("content-length: 8192\r\n");
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  it("serves nothing else that lies there, however it is spelled", async () => {
    for (const path of [
      "/other.txt",
      "/",
      "/tile/",
      "/tile/0/",
      "/tile/0/x000/",
      "/tile/0/x000/000",
      "/tile/00/000",
      "/tile/0/0",
      "/tile/0/000.p/256",
      "/tile/0/000.p/0",
      "/tile/0/000/",
      "/tile/0/%30%30%30",
      "/%63heckpoint",
      "/checkpoint/",
      "//checkpoint",
      "/tile/../checkpoint",
      "/tile/0/../../../private/head",
      "/..%2fprivate/",
      "/tile/0/000%00",
      "/tile\\0\\000",
      "http://x/checkpoint",
      "/log.key",
      "/private/dedup",
    ]) {
      const answer = await ask(server.url, `GET ${path} HTTP/1.1`);
      expect([path, answer.slice(0, 12)]).toEqual([path, "HTTP/1.1 404"]);
      expect(answer.toLowerCase()).not.toMatch(/\r\n(cache-control|etag|expires|content-encoding):/);
    }
  });

  it("refuses tiles that no public checkpoint covers, though their bytes lie there", async () => {
    await writeFile(join(place.folder, "public", "tile", "0", "001.p", "45"), "not public yet");
    const answer = await get("tile/0/001.p/45");
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([404, null]);
  });

  it("refuses other methods, and says nothing to caches", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await get("checkpoint", { method });
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      expect(answer.headers.get("cache-control")).toBeNull();
    }
    expect((await get("add")).status).toBe(405);
  });
});
