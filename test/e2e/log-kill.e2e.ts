/**
 * `log serve` under load, killed with -9 again and again at moments that nobody chose, also while it starts; and two of
 * them on one PostgreSQL server, which is killed too. Whatever they acknowledged before any of these deaths is in the log
 * in the end, and whatever they showed was the beginning of that log. BOOTPROOF_KILL_SECONDS takes longer than the
 * default, BOOTPROOF_SEED other moments.
 */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DirectoryObjects } from "@bootproof/store";
import { startPostgres, type PostgresServer } from "@bootproof/store/postgres-server";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../fuzz/random.ts";
import { bootproof, bootproofJson, scratch } from "./command.ts";
import { Load, ServedLog } from "./served-log.ts";
import { ServedHistory } from "./served-history.ts";

const SEED = Number(process.env["BOOTPROOF_SEED"] ?? 1);
const SECONDS = Number(process.env["BOOTPROOF_KILL_SECONDS"] ?? 10);
const WRITERS = 24;
/** After a server was killed its front ends find their way back. */
const PATIENCE_MS = 60_000;

/** A log that is served and killed. */
class Hunted {
  readonly log: string;
  readonly history: ServedHistory;
  readonly load: Load;
  readonly random = new Random(SEED, 0);
  readonly #vkey: string;
  readonly #origin: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(log: string, vkey: string, origin: string, env: Readonly<Record<string, string>>) {
    this.log = log;
    this.#vkey = vkey;
    this.#origin = origin;
    this.#env = env;
    this.history = new ServedHistory(vkey, origin);
    this.load = new Load(this.history, new Random(SEED, 1), WRITERS);
  }

  static async init(
    log: string,
    more: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Hunted> {
    const origin = `log.example.test/${path.basename(log)}`;
    const init = ["log", "init", "--log", log, "--origin", origin, ...more];
    const { vkey } = await bootproofJson<{ vkey: string }>(init, 0, { env });
    return new Hunted(log, vkey, origin, env);
  }

  serve(): ServedLog {
    return new ServedLog(["--log", this.log, "--hammer"], this.#env);
  }

  /** Hands in once more what was not answered, and some that was, and holds the log to all that was said. */
  async expectWhole(servers: readonly ServedLog[]): Promise<void> {
    await this.load.stop();
    const urls = await Promise.all(servers.map(({ url }) => url));
    const again = Array.from({ length: this.load.numbers }, (_, number) => number).filter(
      (number) => number % 16 === 0 || !this.history.has(number),
    );
    await Promise.all(again.map((number, at) => this.#addAtLast(urls[at % urls.length]!, number)));
    for (const server of servers) expect(await server.end("SIGTERM")).toBe(143); // 128 + 15: ended as asked
    await this.history.seeTiles(this.log);
    const objects = await DirectoryObjects.open(this.log);
    const fetch = (key: string): Promise<Uint8Array | undefined> => objects.get(key);
    await this.history.expectWhole(fetch, this.load.numbers);
    expect(this.history.acknowledged).toBe(this.load.numbers);
    // These checks do see a log that lost an entry.
    const wronged = new ServedHistory(this.#vkey, this.#origin);
    wronged.acknowledge(this.load.numbers, 0n);
    await expect(wronged.expectWhole(fetch, this.load.numbers)).rejects.toThrow("is at no place");
    expect((await bootproof(["log", "audit", "--log", this.log], { env: this.#env })).exitCode).toBe(0);
  }

  async #addAtLast(url: string, number: number): Promise<void> {
    const start = Date.now();
    while (!(await this.load.add(url, number))) {
      if (Date.now() - start > PATIENCE_MS) throw new Error(`${url} does not take entry ${number}`);
      await sleep(50);
    }
  }

  tell(deaths: object): void {
    console.log(
      `killed ${JSON.stringify(deaths)}, BOOTPROOF_SEED=${SEED}: ${this.history.acknowledged} entries acknowledged, ` +
        `${this.history.checkpoints} trees shown, all there`,
    );
  }
}

describe("log serve, killed under load: an acknowledged entry that is gone, or a log that split", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratch("kill");
  });

  it("on a directory", async () => {
    const hunted = await Hunted.init(path.join(folder, "directory"), []);
    const { random, load, history, log } = hunted;
    const deaths = { "at its start": 0, "under load": 0 };
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; load.urls = []) {
      const server = hunted.serve();
      if (random.oneIn(5)) {
        await sleep(random.below(600));
        deaths["at its start"]++;
      } else {
        load.urls = [await server.url];
        await sleep(50 + random.below(700));
        deaths["under load"]++;
      }
      expect([await server.end("SIGKILL"), server.said]).toEqual(["SIGKILL", expect.anything()]);
      await history.seeTiles(log);
    }
    await hunted.expectWhole([hunted.serve()]);
    hunted.tell(deaths);
    expect(deaths["under load"]).toBeGreaterThan(2);
  });

  it("two of them on one PostgreSQL server, one, the server, or all", async () => {
    const server = await startPostgres();
    try {
      await huntOnPostgres(server);
    } finally {
      await server.stop();
    }
  });

  async function huntOnPostgres(server: PostgresServer): Promise<void> {
    const store = ["--private-store", server.url];
    const hunted = await Hunted.init(path.join(folder, "postgres"), store, server.env);
    const { random, load, history, log } = hunted;
    const fronts = [hunted.serve(), hunted.serve()];
    const deaths = { "a front end": 0, "the server": 0, all: 0 };
    for (const end = Date.now() + SECONDS * 700; Date.now() < end;) {
      load.urls = await Promise.all(fronts.map(({ url }) => url));
      await sleep(100 + random.below(1000));
      const victim = random.pick(["a front end", "a front end", "the server", "all"] as const);
      deaths[victim]++;
      const dying = victim === "a front end" ? [random.below(2)] : victim === "all" ? [0, 1] : [];
      await Promise.all([
        ...dying.map((at) => fronts[at]!.end("SIGKILL")),
        ...(victim === "a front end" ? [] : [server.kill9()]),
      ]);
      await history.seeTiles(log);
      if (victim !== "a front end") await server.restart();
      for (const at of dying) fronts[at] = hunted.serve();
      for (const front of fronts) expect([front.running, front.said]).toEqual([true, expect.anything()]);
    }
    await hunted.expectWhole(fronts);
    hunted.tell(deaths);
    expect(deaths["a front end"]).toBeGreaterThan(0);
    expect(deaths["the server"] + deaths.all).toBeGreaterThan(0);
  }
});
