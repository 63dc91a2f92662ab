/**
 * What a client of a log is told when everything between it and the log is hostile: the truth, or that there is no
 * answer; never a hang, a stack trace or a wrong yes.
 */
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, scratch, type Outcome } from "./command.ts";
import {
  changed,
  delaying,
  first,
  forking,
  honest,
  HostileProxy,
  mixing,
  only,
  refuses,
  replaying,
  TROUBLES,
} from "./hostile-proxy.ts";
import { serveFolder } from "./mirror.ts";

const ENTRIES = 300;
/** How long an answer may take here before it counts as none. */
const PATIENCE = "0.5";
/** Four attempts and the pauses between them, with a whole machine's load on top. */
const MAX_MS = 30_000;

/** Troubles that come from the network, whichever file is asked for: every command meets them in the same code. */
const OF_ANY_FILE = new Set(
  Object.keys(TROUBLES).filter(
    (name) => !/bodies|tiles|HTML|has nothing|announces less|calls plain/.test(name),
  ),
);
/** What a client says of some troubles: exit status and code. */
const KINDS: Readonly<Record<string, readonly [exit: number, code: string]>> = {
  "never answers": [69, "BP-NET-002"],
  "sends no end": [65, "BP-LOG-034"],
  "sends a gzip bomb": [65, "BP-LOG-034"],
  "asks to be asked in an hour": [75, "BP-LOG-036"],
  "drops the connection in the body": [69, "BP-NET-002"],
  "redirects in a circle": [69, "BP-NET-002"],
  "redirects to a file": [69, "BP-NET-002"],
  "says forbidden": [69, "BP-NET-002"],
  "has nothing": [66, "BP-LOG-003"],
  "answers with a page of HTML": [65, "BP-PARSE"],
  "flips a bit of tiles": [1, "BP-LOG-010"],
};

let folder: string;
let log: string;
let vkey: string;
let served: string;
let proxy: HostileProxy;
let states = 0;

/** Runs a command as somebody who has seen nothing yet, unless `state` says otherwise. */
async function client(
  args: readonly string[],
  state = path.join(folder, `state-${states++}`),
): Promise<Outcome> {
  const started = performance.now();
  const env = { BOOTPROOF_STATE: state, BOOTPROOF_HTTP_TIMEOUT: PATIENCE };
  const outcome = await bootproof(args, { cwd: folder, env });
  expect(performance.now() - started).toBeLessThan(MAX_MS);
  expect(outcome.stderr).not.toMatch(/BP-BUG|\n\s+at |unforeseen/);
  return outcome;
}

async function addEntries(place: string, name: string, from: number, to: number): Promise<void> {
  const files: string[] = [];
  for (let at = from; at < to; at++) {
    const file = path.join(folder, `${name}-${at}`);
    await writeFile(file, `${name} ${at}`);
    files.push(file);
  }
  const added = await bootproof(["log", "add", ...files, "--log", place], { cwd: folder });
  expect(added.exitCode).toBe(0);
}

const commands = (url = proxy.url): Readonly<Record<string, readonly string[]>> => ({
  checkpoint: ["log", "checkpoint", "--log", url, "--vkey", vkey],
  proof: ["log", "proof", "17", "--log", url, "--vkey", vkey],
  audit: ["log", "audit", "--log", url, "--vkey", vkey],
  lookup: ["lookup", "ab".repeat(32), "--log", url, "--vkey", vkey],
  mirror: ["log", "mirror", url, "--vkey", vkey, "--to", path.join(folder, `copy-${states}`)],
});
/** What the log itself answers to each command. */
const truth: Record<string, Outcome> = {};

beforeAll(async () => {
  folder = await scratch("log-clients");
  log = path.join(folder, "log");
  await bootproof(["log", "init", "--log", log, "--origin", "example.org/clients"]);
  vkey = (await readFile(path.join(log, "log.vkey"), "utf8")).trim();
  await addEntries(log, "entry", 0, ENTRIES);
  served = await serveFolder(log);
  proxy = await HostileProxy.start(served);
  for (const [name, args] of Object.entries(commands())) truth[name] = await client(args);
});

describe("a client of a log behind a hostile proxy", () => {
  it("is answered through an honest one", () => {
    expect(Object.entries(truth).map(([name, { exitCode }]) => [name, exitCode])).toEqual([
      ["checkpoint", 0],
      ["proof", 0],
      ["audit", 0],
      ["lookup", 1],
      ["mirror", 0],
    ]);
  });

  it.each(Object.keys(TROUBLES))(
    "is told the truth, or which kind of trouble it is, by one that %s",
    async (name) => {
      proxy.turn(TROUBLES[name] ?? honest);
      const all = Object.entries(commands());
      const turn = 1 + (Object.keys(TROUBLES).indexOf(name) % (all.length - 1));
      const asked = OF_ANY_FILE.has(name)
        ? all.filter(([command], at) => command === "proof" || at === turn)
        : all;
      const answers = asked.map(async ([command, args]) => {
        const { exitCode, stdout, stderr } = await client(args);
        const { [command]: told } = truth;
        const isTrue = exitCode === told?.exitCode && stdout === told?.stdout;
        const code = /code: (BP-[A-Z]+-\d+)/.exec(stderr)?.[1];
        // An audit names the damaged file on stdout.
        const isNo = command === "audit" && exitCode === 1 && /answer\s+no/.test(stdout);
        expect([command, isTrue || isNo || code !== undefined]).toEqual([command, true]);
        if (!isTrue) expect([command, exitCode]).not.toEqual([command, 0]);
        if (!isTrue && !isNo) expect([1, 2, 65, 66, 69, 75]).toContain(exitCode);
        const kind = command === "proof" ? KINDS[name] : undefined;
        if (kind !== undefined)
          expect([exitCode, stderr]).toEqual([kind[0], expect.stringContaining(kind[1])]);
      });
      await Promise.all(answers);
    },
  );

  it("gets its answer from a server that is busy, drops connections or is slow, when that passes", async () => {
    const troubles = [
      first(2, refuses(503)),
      first(1, refuses(429, { "retry-after": "1" })),
      first(2, TROUBLES["drops the connection in the body"] ?? honest),
      first(1, TROUBLES["never answers"] ?? honest),
      delaying(() => 20 + Math.random() * 200),
    ];
    const outcomes = troubles.map(async (trouble) => {
      const own = await HostileProxy.start(served);
      own.turn(trouble);
      return client(commands(own.url)["proof"] ?? []);
    });
    for (const { exitCode, stdout } of await Promise.all(outcomes))
      expect([exitCode, stdout]).toEqual([0, truth["proof"]?.stdout]);
  });

  it("takes the full tile where the partial one is gone, and is not confused by answers in the wrong place", async () => {
    const old = await replaying(served);
    await addEntries(log, "more", 0, 212);
    const gone = refuses(404);
    proxy.turn((exchange) => (exchange.path.includes("/001.p/") ? gone : old)(exchange));
    for (const command of ["audit", "proof"])
      expect((await client(commands()[command] ?? [])).exitCode).toBe(0);
    proxy.turn(mixing());
    for (const command of ["audit", "mirror"]) {
      const { exitCode } = await client(commands()[command] ?? []);
      expect([0, 1, 65]).toContain(exitCode);
    }
  });

  it("stops a mirror for what cannot be right, and the copy stays what it was", async () => {
    const copy = path.join(folder, "kept-copy");
    const mirror = ["log", "mirror", proxy.url, "--vkey", vkey, "--to", copy];
    const state = path.join(folder, "mirror-state");
    proxy.turn(honest);
    expect((await client(mirror, state)).exitCode).toBe(0);
    await addEntries(log, "later", 0, 300);
    for (const trouble of [
      TROUBLES["flips a bit of tiles"] ?? honest,
      only(
        (file) => file.includes("/tile/entries/"),
        changed((body) => body.subarray(0, -1)),
      ),
      only((file) => file.includes("/tile/entries/"), refuses(404)),
    ]) {
      proxy.turn(trouble);
      await client(mirror, state);
      expect((await client(["log", "audit", "--log", copy, "--vkey", vkey])).exitCode).toBe(0);
    }
    proxy.turn(honest);
    const report = await client([...mirror, "--json"], state);
    expect(JSON.parse(report.stdout)).toMatchObject({ size: ENTRIES + 512 });
  });
});

describe("a log that shows each reader another tree, or an older one", () => {
  let forked: string;
  let state: string;
  beforeAll(async () => {
    state = path.join(folder, "reader");
    for (const part of ["", ".private"])
      await cp(`${log}${part}`, path.join(folder, `forked${part}`), { recursive: true });
    forked = await serveFolder(path.join(folder, "forked"));
  });
  const look = (command: string): Promise<Outcome> => client(commands()[command] ?? [], state);

  it("is told from one that grows, by everyone who has seen it before", async () => {
    proxy.turn(honest);
    expect((await look("checkpoint")).stderr).toContain("first look");
    await addEntries(log, "true", 0, 5);
    expect(await look("checkpoint")).toMatchObject({ exitCode: 0, stderr: "" });
    const old = await replaying(served);
    await addEntries(log, "true", 5, 9);
    expect((await look("proof")).exitCode).toBe(0);

    proxy.turn(old);
    for (const command of Object.keys(commands())) {
      const { exitCode, stderr } = await look(command);
      expect([command, exitCode, stderr]).toEqual([command, 1, expect.stringContaining("BP-LOG-030")]);
    }
    await addEntries(path.join(folder, "forked"), "false", 0, 9);
    proxy.turn(forking(forked, true));
    for (const command of ["checkpoint", "mirror"]) {
      const { exitCode, stderr } = await look(command);
      expect([command, exitCode, stderr]).toEqual([command, 1, expect.stringContaining("BP-LOG-031")]);
    }
    await addEntries(path.join(folder, "forked"), "false", 9, 30);
    for (const command of ["audit", "lookup"]) {
      const { exitCode, stderr } = await look(command);
      expect([command, exitCode, stderr]).toEqual([command, 1, expect.stringContaining("BP-LOG-032")]);
    }
    proxy.turn(honest);
    expect((await look("audit")).exitCode).toBe(0);
  });

  it("leaves evidence that a third party can check offline", async () => {
    const files = (await readdir(path.join(state, "evidence"))).map((file) =>
      path.join(state, "evidence", file),
    );
    const shown: Record<string, number> = {};
    for (const file of files) {
      const { exitCode, stdout } = await client(["inspect", file, "--json", "--offline"]);
      const { outcome, vkey: key } = JSON.parse(stdout) as { outcome: string; vkey: string };
      expect(key).toBe(vkey);
      expect(exitCode).toBe(outcome === "no contradiction" ? 2 : 0);
      shown[outcome] = (shown[outcome] ?? 0) + 1;
    }
    expect(Object.keys(shown).sort()).toEqual(["another beginning", "no contradiction", "two roots"]);
    const forged = path.join(folder, "forged.evidence");
    const bytes = await readFile(files[0] ?? "", "utf8");
    await writeFile(forged, bytes.replace(/(\n\d+\n)([A-Za-z0-9+/]{42})/, "$1" + "A".repeat(42)));
    expect((await client(["inspect", forged])).exitCode).toBe(1);
  });

  it("is remembered by several processes at once, and never as smaller", async () => {
    proxy.turn(honest);
    const shared = path.join(folder, "shared");
    for (let round = 0; round < 2; round++) {
      const looks = Array.from({ length: 4 }, () => client(commands()["checkpoint"] ?? [], shared));
      await addEntries(log, `round-${round}`, 0, 3);
      expect((await Promise.all(looks)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    }
    expect((await client(commands()["checkpoint"] ?? [], shared)).exitCode).toBe(0);
  });
});
