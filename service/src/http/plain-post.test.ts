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
    ["a length before it that is none", post("ab", "Content-Length:content-length: 2\r\n")],
    ["a length and chunks", post("ab", "Transfer-Encoding: chunked\r\n")],
    ["a length that is none", "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nab"],
    ["no host", "POST /add HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"],
    ["chunks behind a bare line feed", post("ab", "X: y\nTransfer-Encoding: chunked\r\n")],
    ["chunks behind a bare carriage return", post("ab", "X: y\rTransfer-Encoding: chunked\r\n")],
    [
      "a length that goes on in the next line",
      "POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n 3\r\n\r\nab",
    ],
    ["a first line that goes on", post("ab").replace("Host", " Host")],
    ["a line without a colon", post("ab", "X\r\n")],
    ["a name with a space", post("ab", "X Y: z\r\n")],
    ["a NUL", post("ab", "X: \0\r\n")],
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

  it("lets go of connections whose other side has ended: each would count against the limit for ever", async () => {
    const open = (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      );
    await Promise.all(
      [
        "",
        post("one"),
        post("one") + post("two"),
        "POST /add HTTP/1.1\r\nHo",
        post("one") + "GET / HTTP/1.1\r\n",
      ].map(async (text) => {
        const socket = dial().resume();
        socket.end(text);
        await once(socket, "close");
      }),
    );
    await expect.poll(open).toBe(0);
    expect(taken.toSorted()).toEqual(["one", "one", "one", "two"]);
  });

  it("takes no more of whoever reads no answers: they would fill the memory", async () => {
    reply = (_body, done) => done(OK("z".repeat(1 << 20)));
    const socket = dial().pause();
    socket.write(post("x").repeat(2000));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = taken.length;
    expect(before).toBeLessThan(50);
    socket.resume();
    await expect.poll(() => taken.length, { timeout: 20_000 }).toBeGreaterThan(before + 50);
    socket.destroy();
  });

  it("reads any request as node:http does: a proxy before it could be told another one", async () => {
    const seen: string[] = [];
    const judge = createServer((request, response) => {
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (request.url === "/add") seen.push(body);
        response.end(body);
      });
    });
    judge.listen(0, "127.0.0.1");
    await once(judge, "listening");
    server.removeAllListeners("request").on("request", (request, response) => {
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (request.url === "/add") taken.push(body);
        response.end(body);
      });
    });
    try {
      await fc.assert(
        fc.asyncProperty(requests, async (request) => {
          seen.length = taken.length = 0;
          const [short, long] = await Promise.all([statuses(server, request), statuses(judge, request)]);
          // An answer that is under way is lost there when what follows cannot be read.
          expect({ bodies: taken, last: short.at(-1) }).toEqual({ bodies: seen, last: long.at(-1) });
        }),
        { numRuns: 400 },
      );
    } finally {
      judge.closeAllConnections();
      judge.close();
    }
  }, 60_000);
});

const BREAKS = [
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  "\r\n ",
  "\r\n\t",
  "\r\r\n",
  "\0\r\n",
  "\x7f\r\n",
  "\xa0\r\n",
];
const NAMES = [
  "Content-Length",
  "content-length",
  "X",
  "Transfer-Encoding",
  "Host",
  "X-Content-Length",
  "",
  "Content-Length ",
  " Content-Length",
  "Content_Length",
  "Expect",
  "Connection",
  "Proxy-Connection",
  "X\t",
  "\xe9",
  "Trailer",
  "Te",
];
const VALUES = [
  "0",
  "1",
  "2",
  "7",
  "02",
  "+2",
  "2, 2",
  "2 ",
  "\t2",
  "0x2",
  "2;",
  "",
  "chunked",
  "identity",
  "x",
  "close",
  "100-continue",
  "content-length: 2",
  "\xff",
  "99999999999999999999",
];

const line = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom(":", ": ", ":\t", " :", ""),
    fc.constantFrom(...VALUES),
    fc.constantFrom(...BREAKS),
  )
  .map((parts) => parts.join(""));

/** A request to the short way with what could be read in two ways, and others behind it. */
const requests = fc
  .tuple(
    fc.constantFrom(
      "POST /add HTTP/1.1",
      "POST /add HTTP/1.1",
      "POST /add HTTP/1.0",
      "POST /add  HTTP/1.1",
      "post /add HTTP/1.1",
    ),
    fc.constantFrom("Host: x\r\n", "Host: x\r\n", "host:x\r\n", ""),
    fc.array(line, { maxLength: 3 }),
    fc.constantFrom("Content-Length: 2\r\n", "Content-Length: 2\r\n", "Content-Length:2 \r\n", ""),
    fc.constantFrom("\r\n", "\r\n", "\n", "\r\n\r\n"),
    fc.constantFrom(
      "ab",
      "",
      "0\r\n\r\n",
      "abPOST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nc",
      "ab\r\n",
    ),
  )
  .map(
    ([first, host, lines, length, end, body]) => `${first}\r\n${host}${lines.join("")}${length}${end}${body}`,
  );

/** The statuses of the answers to a request, with another behind it that ends the connection. */
async function statuses(server: Server, request: string): Promise<string[]> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let heard = "";
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(`${request}GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, "latin1");
  const late = setTimeout(() => socket.end(), 60);
  await closed;
  clearTimeout(late);
  return [...heard.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, status = ""]) => status);
}
