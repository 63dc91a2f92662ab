/**
 * `log serve` under load, killed with -9 again and again at moments that nobody chose, also while it starts. Whatever it
 * acknowledged before any of these deaths is in the log in the end, and whatever it showed was the beginning of that log.
 * BOOTPROOF_KILL_SECONDS takes longer than the default, BOOTPROOF_SEED other moments.
 */
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DirectoryObjects } from "@bootproof/store";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../fuzz/random.ts";
import { bootproof, bootproofJson, scratch } from "./command.ts";
import { Load, ServedLog } from "./served-log.ts";
import { ServedHistory } from "./served-history.ts";

const SEED = Number(process.env["BOOTPROOF_SEED"] ?? 1);
const SECONDS = Number(process.env["BOOTPROOF_KILL_SECONDS"] ?? 20);
const WRITERS = 24;
const ORIGIN = "log.example.test/kill";

describe("log serve, killed under load: an acknowledged entry that is gone, or a log that split", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratch("kill");
  });

  it("on a directory", async () => {
    const log = path.join(folder, "log");
    const init = ["log", "init", "--log", log, "--origin", ORIGIN];
    const { vkey } = await bootproofJson<{ vkey: string }>(init, 0);
    const history = new ServedHistory(vkey, ORIGIN);
    const random = new Random(SEED, 0);
    const load = new Load(history, new Random(SEED, 1), WRITERS);
    const end = Date.now() + SECONDS * 1000;
    const deaths = { starting: 0, serving: 0 };
    while (Date.now() < end) {
      const server = new ServedLog(["--log", log, "--hammer"]);
      if (random.oneIn(5)) {
        await sleep(random.below(600));
        deaths.starting++;
      } else {
        load.urls = [await server.url];
        await sleep(50 + random.below(700));
        deaths.serving++;
      }
      expect([await server.end("SIGKILL"), server.said]).toEqual(["SIGKILL", expect.anything()]);
      load.urls = [];
      await history.seeTiles(log);
    }
    await load.stop();

    const last = new ServedLog(["--log", log, "--hammer"]);
    const url = await last.url;
    for (let number = 0; number < load.numbers; number += 16) {
      const some = Array.from({ length: 16 }, (_, at) => number + at).filter((one) => one < load.numbers);
      expect(await Promise.all(some.map((one) => load.add(url, one)))).not.toContain(false);
    }
    expect(await last.end("SIGTERM")).toBe(143); // 128 + 15: ended as asked
    await history.seeTiles(log);
    const objects = await DirectoryObjects.open(log);
    await history.expectWhole((key) => objects.get(key), load.numbers);
    // These checks do see a log that lost an entry.
    const wronged = new ServedHistory(vkey, ORIGIN);
    wronged.acknowledge(load.numbers, 0n);
    await expect(wronged.expectWhole((key) => objects.get(key), load.numbers)).rejects.toThrow();
    expect((await bootproof(["log", "audit", "--log", log])).exitCode).toBe(0);
    console.log(
      `killed ${deaths.serving} times under load and ${deaths.starting} times at its start (BOOTPROOF_SEED=${SEED}): ` +
        `${history.acknowledged} entries acknowledged, ${history.checkpoints} trees shown, all there`,
    );
    expect(history.acknowledged).toBe(load.numbers);
    expect(deaths.serving).toBeGreaterThan(2);
  });
});
