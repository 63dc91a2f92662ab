import { once } from "node:events";
import { spawn } from "node:child_process";
import path from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { bootproof, bootproofJson, ROOT, scratch, type Failure } from "./command.ts";
import { LogHistory } from "./log-on-disk.ts";

const NODE = path.join(ROOT, "node_modules/.bin/node");
const writer = (folder: string, batches: readonly (readonly [number, number])[]): string[] => [
  "--conditions=@bootproof/source",
  path.join(import.meta.dirname, "log-writer.ts"),
  folder,
  JSON.stringify(batches),
];

describe("two processes that write to one log", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await scratch("writers");
  });

  it("the second stops at once, the first writes on, and after kill -9 the third takes over", async () => {
    const place = path.join(folder, "log");
    const plan = Array.from({ length: 400 }, (_, at) => [at * 2, 2] as const);
    const first = spawn(NODE, writer(place, plan), { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    first.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    while (!said.includes('"appended"')) await once(first.stdout, "data");

    const started = Date.now();
    const second = await execa(NODE, writer(place, [[5000, 1]]), { reject: false });
    expect(second.exitCode).toBe(1);
    expect(JSON.parse(second.stdout)).toMatchObject({ told: "failed", code: "BP-LOG-014" });
    expect(Date.now() - started).toBeLessThan(10_000);
    const seen = said.length;
    while (said.length < seen + 2000) await once(first.stdout, "data");

    first.kill("SIGKILL");
    await once(first, "close");
    const history = new LogHistory(place);
    history.hear(said);
    await history.look();
    const third = await execa(NODE, writer(place, plan), { stripFinalNewline: false });
    history.hear(third.stdout);
    await history.expectWhole(plan);
  });

  it("the command says so too, and that trying again may help", async () => {
    const log = path.join(folder, "commanded");
    expect((await bootproof(["log", "init", "--log", log])).exitCode).toBe(0);
    const lock = path.join(folder, "commanded.private/head/lock");
    const holder = spawn("flock", ["-n", lock, "sh", "-c", "echo held; cat"], { stdio: "pipe" });
    await once(holder.stdout, "data");
    const entry = path.join(ROOT, "package.json");
    const { error } = await bootproofJson<Failure>(["log", "add", entry, "--log", log], 75);
    expect(error.code).toBe("BP-LOG-014");
    holder.stdin.end();
    await once(holder, "exit");
    expect((await bootproof(["log", "add", entry, "--log", log])).exitCode).toBe(0);
  });
});
