import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { PlainPosts, type PlainAnswer } from "./plain-post.ts";

const OK = (body: string): PlainAnswer => ({ status: 200, reason: "OK", body });

describe("a short way for load tests: a request that is lost, mixed up or read twice", () => {
  let server: Server;
  let posts: PlainPosts;
  let taken: string[];
  let reply: (body: string, done: (answer: PlainAnswer) => void) => void;

  beforeEach(async () => {
    taken = [];
    reply = (body, done) => setImmediate(() => done(OK(`short ${body}`)));
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => (body += text));
      request.on("end", () => response.end(`${request.method ?? ""} ${request.url ?? ""} ${body}`));
    });
    posts = new PlainPosts(server, {
      path: "/add",
      limit: 100,
      answer(bytes, done) {
        const body = Buffer.from(bytes).toString("latin1");
        taken.push(body);
        reply(body, done);
      },
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    posts.close();
    server.closeAllConnections();
    server.close();
  });

  const dial = (): Socket => connect((server.address() as AddressInfo).port, "127.0.0.1");
  const post = (body: string, head = ""): string =>
    `POST /add HTTP/1.1\r\nHost: x\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;

  /** Sends these pieces one after the other, and returns the bodies of so many answers. */
  async function send(pieces: readonly string[], answers: number): Promise<string[]> {
    const socket = dial();
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
    for (const piece of pieces) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
    const bodies = (): string[] =>
      [...heard.matchAll(/content-length: ([0-9]+)\r\n(?:[^\r]+\r\n)*\r\n/gi)].map((found) =>
        heard.slice(found.index + found[0].length, found.index + found[0].length + Number(found[1])),
      );
    await expect.poll(bodies, { timeout: 5000, interval: 2 }).toHaveLength(answers);
    socket.destroy();
    return bodies();
  }

  it("answers one after the other on one connection, however the bytes are cut", async () => {
    const all = post("one") + post("two\r\n\r\nPOST /add") + post("") + post("x".repeat(100));
    const wanted = ["short one", "short two\r\n\r\nPOST /add", "short ", `short ${"x".repeat(100)}`];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(all.length), { maxLength: 8 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        const pieces = at.slice(1).map((end, index) => all.slice(at[index], end));
        expect(await send(pieces, 4)).toEqual(wanted);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["another path", "POST /added HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "POST /added ab"],
    ["another method", "PUT /add HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "PUT /add ab"],
    ["a query", "POST /add?x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "POST /add?x ab"],
    ["a body too long", post("y".repeat(101)), `POST /add ${"y".repeat(101)}`],
    [
      "chunks",
      "POST /add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
      "POST /add ab",
    ],
    ["a connection that closes", post("ab", "Connection: close\r\n"), "POST /add ab"],
    ["a head too long", post("ab", `X: ${"z".repeat(4200)}\r\n`), "POST /add ab"],
  ])("leaves %s to the HTTP server, also after requests of its own", async (_name, request, answer) => {
    expect(await send([request], 1)).toEqual([answer]);
    expect(await send([post("before"), request], 2)).toEqual(["short before", answer]);
    expect(await send([post("before") + request], 2)).toEqual(["short before", answer]);
    expect(taken).toEqual(["before", "before"]);
  });

  it.each([
    ["two lengths", post("ab", "Content-Length: 3\r\n")],
    ["two lengths that agree", post("ab", "Content-Length: 2\r\n")],
    ["a length and chunks", post("ab", "Transfer-Encoding: chunked\r\n")],
    ["a length that is none", "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nab"],
  ])("takes nothing with %s: the HTTP server judges", async (_name, request) => {
    const socket = dial();
    socket.write(request);
    const [heard] = (await once(socket, "data")) as [Buffer];
    expect(heard.toString()).toMatch(/^HTTP\/1.1 400 /);
    expect(taken).toEqual([]);
  });

  it("reads no more of whoever sends without waiting than one request", async () => {
    let done: ((answer: PlainAnswer) => void) | undefined;
    reply = (_body, later) => (done = later);
    const socket = dial();
    socket.on("error", () => undefined);
    let sent = 0;
    const flood = setInterval(() => {
      for (let count = 0; count < 100; count++) if (socket.write(post("f".repeat(100)))) sent++;
    }, 1);
    await expect.poll(() => socket.writableNeedDrain, { timeout: 10_000 }).toBe(true);
    clearInterval(flood);
    expect(taken).toHaveLength(1);
    expect(sent).toBeGreaterThan(100);
    done?.(OK("now"));
    await expect.poll(() => taken.length).toBe(2);
    socket.destroy();
  });

  it("ends idle connections at once when stopped, and the others with their answer", async () => {
    let done: ((answer: PlainAnswer) => void) | undefined;
    reply = (_body, later) => (done = later);
    const [idle, busy] = [dial(), dial()];
    let heard = "";
    busy.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    busy.write(post("last"));
    await expect.poll(() => done !== undefined).toBe(true);
    const closed = Promise.all([once(idle, "close"), once(busy, "close")]);
    server.close();
    posts.stop();
    done?.(OK("done"));
    await closed;
    expect(heard).toMatch(/connection: close\r\n\r\ndone$/);
  });
});
