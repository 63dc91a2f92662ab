import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";

import { KEY_TYPE, parseVkey, utf8 } from "@bootproof/bytes";
import { ed25519Verify, formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { askAgent } from "./agent-socket.ts";
import { openSpec } from "./open-signer.ts";
import { formatSignerSpec, parseSignerSpec } from "./signer-spec.ts";

const KEY = makeSigningKey("example.org/k", new Uint8Array(32).fill(3));
const SECRET = formatSigningKey(KEY);
const MESSAGE = utf8("a message\n");
const PATH = process.env["PATH"] ?? "";

/** A program in JavaScript as a signer's configuration. */
async function program(folder: string, name: string, script: string, more: object = {}): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, script);
  const config = join(folder, `${name}.json`);
  const { vkey } = await openSpec(
    { kind: "env", name: "K" },
    { env: { K: SECRET }, base: "/" },
    { role: "log" },
  );
  const command = [process.execPath, file];
  await writeFile(config, JSON.stringify({ schema: "bootproof/signer/1", command, vkey, ...more }));
  return config;
}

const SIGN = `import { createPrivateKey, sign } from "node:crypto";
const chunks = []; for await (const chunk of process.stdin) chunks.push(chunk);
const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 3)]);
process.stdout.write(sign(null, Buffer.concat(chunks), createPrivateKey({ key: der, format: "der", type: "pkcs8" })));`;

describe("naming a key", () => {
  it.each(["file:/k", "env:K", `agent:SHA256:${"A".repeat(43)}`, "command:/c.json"])(
    "is read and written: %s",
    (text) => expect(formatSignerSpec(parseSignerSpec(text))).toBe(text),
  );

  it("takes a word without a beginning as a file, as ever", () => {
    expect(parseSignerSpec("a/b.key")).toEqual({ kind: "file", path: "a/b.key" });
  });

  it.each([
    "",
    "env:",
    "env:A B",
    "env:1",
    "agent:",
    "agent:MD5:x",
    "agent:SHA256:short",
    "file:",
    "command:",
    SECRET,
  ])("refuses %#, and never quotes it", (text) => {
    let said = "";
    try {
      parseSignerSpec(text);
    } catch (error) {
      said = JSON.stringify({ error, message: String(error) });
    }
    expect(said).toContain("BP-USAGE-002");
    if (text.length > 20) expect(said).not.toContain(text.slice(-20));
  });
});

describe("a key in the environment", () => {
  const open = (env: Record<string, string>): ReturnType<typeof openSpec> =>
    openSpec({ kind: "env", name: "K" }, { env, base: "/" }, { role: "signer" });

  it("signs", async () => {
    const signer = await open({ K: `${SECRET}\n` });
    expect(ed25519Verify(KEY.vkey.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
  });

  it.each([
    ["absent", {}, 66],
    ["broken", { K: SECRET.slice(0, -4) }, 65],
    ["something else", { K: "hunter2-hunter2" }, 65],
  ])("is never quoted when it is %s", async (_name, env, exit) => {
    const { stderr, stdout, exit: found } = await run(["key", "show", "env:K", "--verbose"], env);
    expect(found).toBe(exit);
    expect(stderr + stdout).toMatch(/\bK\b/);
    expect(stderr + stdout).not.toMatch(
      new RegExp(`hunter2|${SECRET.slice(-30, -6).replaceAll("+", "\\+")}`),
    );
  });
});

describe("a key behind a program", () => {
  let folder: string;
  beforeAll(async () => (folder = await scratchFolder()));
  const open = (path: string, env: Record<string, string> = { PATH }): ReturnType<typeof openSpec> =>
    openSpec({ kind: "command", path }, { env, base: "/" }, { role: "signer" });

  it("signs, and shows its public key without running", async () => {
    const config = await program(folder, "good", SIGN);
    const signer = await open(config);
    expect(ed25519Verify(KEY.vkey.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
    expect((await run(["key", "show", `command:${config}`])).stdout).toBe(`${signer.vkey}\n`);
  });

  it("gets only the variables that were named", async () => {
    const script = `process.exit(Object.keys(process.env).sort().join() === "NAMED,PATH" ? 7 : 8)`;
    const config = await program(folder, "env", script, { environment: ["NAMED"] });
    const env = { PATH, NAMED: "1", BOOTPROOF_LOG_KEY: SECRET, HOME: "/" };
    await expect((await open(config, env)).sign(MESSAGE)).rejects.toMatchObject({
      code: "BP-SIGN-002",
      detail: { found: "exit status 7" },
    });
  });

  it.each([
    [
      "signs something else",
      SIGN.replace("Buffer.concat(chunks)", 'Buffer.from("x")'),
      "BP-SIGN-003",
      /something else/,
    ],
    ["says too little", 'process.stdout.write("x")', "BP-SIGN-003", /1 bytes/],
    ["says too much", 'process.stdout.write("s3cr3t".repeat(1e6))', "BP-SIGN-002", /more than the 64 bytes/],
    ["fails", 'console.error("s3cr3t"); process.exit(3)', "BP-SIGN-002", /exit status 3/],
    ["kills itself", 'process.kill(process.pid, "SIGKILL")', "BP-SIGN-002", /SIGKILL/],
    ["never ends", "setInterval(() => {}, 1000)", "BP-SIGN-002", /no answer within 1 s/],
    [
      "leaves a child that holds its output",
      'import { spawn } from "node:child_process"; spawn("sleep", ["60"], { stdio: "inherit" }).unref(); process.exit(0)',
      "BP-SIGN-002",
      /no answer within 1 s/,
    ],
  ])("is not believed when it %s", async (name, script, code, found) => {
    const config = await program(folder, name.replaceAll(" ", "-"), script, { timeoutSeconds: 1 });
    const signing = Promise.resolve((await open(config)).sign(MESSAGE));
    const error: unknown = await signing.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, detail: { found: expect.stringMatching(found) as string } });
    expect(JSON.stringify(error) + String(error)).not.toContain("s3cr3t");
  });

  it("is not found: a failure, not a crash", async () => {
    const config = join(folder, "absent.json");
    const { vkey } = await open(await program(folder, "good", SIGN));
    await writeFile(config, JSON.stringify({ schema: "bootproof/signer/1", command: ["/nope"], vkey }));
    await expect((await open(config)).sign(MESSAGE)).rejects.toMatchObject({ detail: { found: "ENOENT" } });
  });

  it.each([
    ["no JSON", "x"],
    ["another schema", { schema: "bootproof/signer/2", command: ["a"] }],
    ["a command line for a shell", { command: "sign | base64" }],
    ["no program", { command: [] }],
    ["an unknown key", { command: ["a"], shell: true }],
    ["no time", { command: ["a"], timeoutSeconds: 0 }],
    ["a variable with a value", { command: ["a"], environment: ["A=1"] }],
    ["no public key", { command: ["a"], vkey: "x" }],
  ])("is refused when its file has %s", async (_name, config) => {
    const file = join(folder, "bad.json");
    const { vkey } = await open(await program(folder, "good", SIGN));
    const whole = { schema: "bootproof/signer/1", vkey, ...(typeof config === "string" ? {} : config) };
    await writeFile(file, typeof config === "string" ? config : JSON.stringify(whole));
    expect((await run(["key", "show", `command:${file}`])).exit).toBe(65);
  });
});

describe("a key in an ssh-agent", () => {
  let folder: string;
  let agent: ChildProcess;
  let env: Record<string, string>;
  let print: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    folder = await scratchFolder();
    const socket = join(folder, "agent");
    env = { SSH_AUTH_SOCK: socket, PATH };
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
    await once(agent.stdout!, "data");
    for (const [type, name] of [
      ["rsa", "other"],
      ["ed25519", "key"],
      ["ed25519", "second"],
    ] as const) {
      const file = join(folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", `${name} comment`, "-f", file]);
      await chmod(file, 0o600);
      execFileSync("ssh-add", ["-q", file], { env, stdio: "ignore" });
    }
    print =
      execFileSync("ssh-keygen", ["-lf", join(folder, "key")])
        .toString()
        .split(" ")[1] ?? "";
  });
  afterAll(() => {
    agent.kill();
    for (const server of servers) server.close();
  });

  /** An agent that says these bytes to whatever it is asked. */
  async function fake(name: string, bytes: Uint8Array): Promise<string> {
    const socket = join(folder, name);
    const server = createServer((connection) => connection.on("error", () => undefined).end(bytes));
    servers.push(server.listen(socket));
    await once(server, "listening");
    return socket;
  }

  it("signs, by fingerprint or by public key, and has the name that it is given", async () => {
    const shown = await run(["key", "show", `agent:${print}`, "--name", "example.org/agent"], env);
    expect(shown).toMatchObject({ exit: 0, stderr: "" });
    const vkey = shown.stdout.trim();
    expect(parseVkey(vkey)).toMatchObject({ name: "example.org/agent", type: KEY_TYPE.ed25519 });
    const signer = await openSpec({ kind: "agent", key: vkey }, { env, base: "/" }, { role: "signer" });
    expect(signer.vkey).toBe(vkey);
    const signature = await signer.sign(MESSAGE);
    expect(ed25519Verify(parseVkey(vkey).publicKey, MESSAGE, signature)).toBe(true);
    const unnamed = await run(["key", "show", `agent:${print}`, "--cosigns"], env);
    expect(unnamed.stdout).toMatch(/^bootproof\.local\/signer-[0-9a-f]{8}\+[0-9a-f]{8}\+B/);
  });

  it("is said to be missing, with those that are there", async () => {
    const { exit, stderr } = await run(["key", "show", `agent:SHA256:${"A".repeat(43)}`], env);
    expect(exit).toBe(66);
    expect(stderr).toContain("BP-SIGN-001");
    expect(stderr).toContain(print);
  });

  it("is out of reach without an agent, or when the agent has gone or refuses", async () => {
    expect((await run(["key", "show", `agent:${print}`])).exit).toBe(66);
    const gone = await run(["key", "show", `agent:${print}`], { SSH_AUTH_SOCK: join(folder, "nothing") });
    expect([gone.exit, gone.stderr]).toEqual([69, expect.stringContaining("BP-SIGN-002")]);
    const signer = await openSpec({ kind: "agent", key: print }, { env, base: "/" }, { role: "signer" });
    execFileSync("ssh-add", ["-q", "-d", join(folder, "second")], { env });
    execFileSync("ssh-add", ["-q", "-d", join(folder, "key")], { env });
    await expect(signer.sign(MESSAGE)).rejects.toMatchObject({ code: "BP-SIGN-002" });
    execFileSync("ssh-add", ["-q", join(folder, "key")], { env });
  });

  it.each([
    ["nothing", new Uint8Array(), 69],
    ["half an answer", Uint8Array.of(0, 0, 0, 9, 12), 69],
    ["gigabytes", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 12), 65],
    ["rubbish", Uint8Array.of(0, 0, 0, 2, 12, 0), 65],
    ["more than it announced", Uint8Array.of(0, 0, 0, 5, 12, 0, 0, 0, 0, 1), 65],
  ])("is not taken from an agent that says %s", async (name, bytes, exit) => {
    const socket = await fake(name.replaceAll(" ", "-"), bytes);
    expect((await run(["key", "show", `agent:${print}`], { SSH_AUTH_SOCK: socket })).exit).toBe(exit);
  });

  it("is not waited for without end", async () => {
    const socket = join(folder, "silent");
    servers.push(createServer(() => undefined).listen(socket));
    await once(servers.at(-1)!, "listening");
    await expect(askAgent(socket, Uint8Array.of(0, 0, 0, 1, 11), 200)).rejects.toMatchObject({
      code: "BP-SIGN-002",
    });
  });
});
