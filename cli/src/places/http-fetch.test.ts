import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

import { afterEach, describe, expect, it } from "vitest";

import { Failure } from "../frame/failure.ts";
import { sleep } from "../frame/sleep.ts";
import { fetchBytes } from "./http-fetch.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server on this machine; its URL. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const env = { BOOTPROOF_HTTP_TIMEOUT: "0.3" };
const ask = (url: string, limit = 1000, signal = new AbortController().signal): Promise<string | undefined> =>
  fetchBytes({ url, limit, env, signal }).then(
    (bytes) => bytes && Buffer.from(bytes).toString(),
    (error: unknown) => {
      if (error instanceof Failure) return `${error.code} ${error.detail.found ?? ""}`;
      throw error;
    },
  );

describe("reading over HTTP", () => {
  it("takes a body up to its limit, and compressed as well as plain", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/gzip")
        response.setHeader("content-encoding", "gzip").end(gzipSync("a".repeat(1000)));
      else response.end("a".repeat(1000));
    });
    expect(await ask(`${url}/plain`)).toBe("a".repeat(1000));
    expect(await ask(`${url}/gzip`)).toBe("a".repeat(1000));
    expect(await ask(`${url}/plain`, 999)).toBe("BP-LOG-034 more");
    expect(await ask(`${url}/gzip`, 999)).toBe("BP-LOG-034 more");
  });

  it("takes no more than it must of a body that has no end, and of one that unpacks to 256 MiB", async () => {
    let sent = 0;
    const bomb = gzipSync(Buffer.alloc(2 ** 28));
    const url = await serve((request, response) => {
      if (request.url === "/bomb") response.setHeader("content-encoding", "gzip").end(bomb);
      else {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
        };
        response.on("drain", more);
        more();
      }
    });
    const before = process.memoryUsage().rss;
    expect(await ask(`${url}/endless`)).toBe("BP-LOG-034 more");
    expect(await ask(`${url}/bomb`)).toBe("BP-LOG-034 more");
    expect(sent).toBeLessThan(2 ** 26);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 27);
  });

  it("tells nothing there from no answer", async () => {
    let status = 404;
    const url = await serve((_request, response) => {
      response.writeHead(status).end("no");
    });
    expect(await ask(url)).toBeUndefined();
    status = 410;
    expect(await ask(url)).toBeUndefined();
    status = 403;
    expect(await ask(url)).toBe("BP-NET-002 status 403");
    for (const close of closers.splice(0)) close();
    expect(await ask(url)).toMatch(/^BP-NET-002 .*ECONNREFUSED/);
    expect(await ask("nonsense")).toMatch(/^BP-NET-002 /);
  });

  it("asks again what may pass, and waits as long as the server says", async () => {
    const asked: number[] = [];
    const url = await serve((request, response) => {
      asked.push(performance.now());
      if (asked.length === 1) response.writeHead(429, { "retry-after": "1" }).end();
      else if (asked.length === 2) request.socket.destroy();
      else if (asked.length === 3) response.writeHead(200, { "content-length": "9" }).write("part");
      else response.end("whole");
    });
    expect(await ask(url)).toBe("whole");
    expect(asked).toHaveLength(4);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(950);
  });

  it("does not wait for an hour because a server says so", async () => {
    const dates = ["3600", new Date(Date.now() + 3_600_000).toUTCString()];
    const url = await serve((_request, response) => {
      response.writeHead(503, { "retry-after": dates.shift() ?? "" }).end();
    });
    expect(await ask(url)).toBe("BP-LOG-036 Retry-After: 3600 s");
    expect(await ask(url)).toMatch(/^BP-LOG-036 Retry-After: (3600|3599) s/);
    expect(await ask(url)).toBe("BP-NET-002 status 503");
  });

  it("follows redirects to HTTP, not for ever and not elsewhere", async () => {
    const targets: Record<string, string> = {
      "/a": "/b",
      "/circle": "/circle",
      "/file": "file:///etc/passwd",
      "/name": "http://user:password@127.0.0.1/",
      "/bad": "http://[",
    };
    const url = await serve((request, response) => {
      const location = targets[request.url ?? ""];
      if (location === undefined) response.end("there");
      else response.writeHead(302, { location }).end();
    });
    expect(await ask(`${url}/a`)).toBe("there");
    expect(await ask(`${url}/circle`)).toBe("BP-NET-002 more than 5 redirects");
    for (const name of ["file", "name", "bad"])
      expect(await ask(`${url}/${name}`)).toMatch(/^BP-NET-002 it redirects to /);
  });

  it("stops at once when the user interrupts", async () => {
    const interrupt = new AbortController();
    const url = await serve((_request, response) => {
      interrupt.abort();
      response.writeHead(503).end();
    });
    const started = performance.now();
    await expect(ask(url, 1000, interrupt.signal)).rejects.toThrow(/abort/);
    await sleep(10_000, interrupt.signal);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
