/**
 * Enclave images of 512 MiB described and built, beside AWS's own library and beside OpenSSL that hashes what the PCRs
 * extend: by the clock and by memory, of whole commands, in turns.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { BOOTPROOF } from "./image.ts";
import { usageOf } from "./log/usage.ts";
import { eifCrate, type EifCrate, type EifOrder } from "./peers/eif-crate.ts";
import { milliseconds, type Table } from "./table.ts";
import { middle } from "./timing.ts";

const MIB = 2 ** 20;
const ROUNDS = 3;
const KERNEL = 8 * MIB;
const AIM = { ratio: 1.15, memory: 64 };

/** Ramdisks of an image, in MiB. */
interface Shape {
  readonly name: string;
  readonly ramdisks: readonly number[];
}

const SHAPES: readonly Shape[] = [
  { name: "two ramdisks", ramdisks: [24, 480] },
  { name: "one ramdisk", ramdisks: [504] },
  { name: "eight ramdisks", ramdisks: [24, 60, 60, 72, 72, 72, 72, 72] },
];

/** Describes and builds images of each shape. */
export async function benchNitro(): Promise<Table> {
  const crate = await eifCrate();
  const rows: string[][] = [];
  for (const shape of SHAPES) rows.push(...(await benchShape(shape, "why" in crate ? undefined : crate)));
  const thread = await measureRun(process.execPath, ["--eval", IDLE_THREAD]);
  return {
    name: "nitro",
    head: [
      "512 MiB",
      "bootproof",
      "OpenSSL, chains on two cores",
      "ratio",
      "AWS's crate",
      "memory",
      "crate's memory",
    ],
    rows,
    notes: [
      `Aims: at most ${AIM.ratio} times OpenSSL, ahead of the crate, at most ${AIM.memory} MiB. Memory is the largest resident size, with the program itself; Node with a second thread, both idle, has ${thread.memory.toFixed(0)} MiB.`,
      ...("why" in crate ? [`Skipped: ${crate.name} cannot be had here (${crate.why}).`] : []),
    ],
  };
}

const IDLE_THREAD =
  'const { Worker } = require("node:worker_threads"); new Worker("setTimeout(() => 0, 100)", { eval: true })';

interface Parts {
  readonly kernel: string;
  readonly ramdisks: readonly string[];
  readonly image: string;
  /** What PCR0, PCR1 and PCR2 extend, as files. */
  readonly chains: readonly [string, string, string];
}

const CMDLINE = "reboot=k panic=30 nomodules console=ttyS0";
const METADATA = {
  ImageName: "bench",
  ImageVersion: "1",
  BuildMetadata: {
    BuildTime: "1970-01-01T00:00:00+00:00",
    BuildTool: "bench",
    BuildToolVersion: "1",
    OperatingSystem: "Linux",
    KernelVersion: "6",
  },
  DockerInfo: null,
  CustomMetadata: null,
};

async function benchShape({ name, ramdisks }: Shape, crate: EifCrate | undefined): Promise<string[][]> {
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-nitro-"));
  try {
    const parts = await makeParts(folder, ramdisks);
    const out = path.join(folder, "out.eif");
    const build = [
      ...["eif", "build", "--quiet", "--kernel", parts.kernel, "--cmdline", CMDLINE],
      ...parts.ramdisks.flatMap((file) => ["--ramdisk", file]),
    ];
    await execa(BOOTPROOF, [...build, "--out", parts.image]);
    await agree(parts, crate);
    const openssl = ["-c", OPENSSL, "bash", ...parts.chains];
    const described = await turns({
      ours: () => measureRun(BOOTPROOF, ["measure", "nitro", "--quiet", parts.image]),
      openssl: () => measureRun("bash", openssl),
      crate: crate && (() => askCrate(crate, { do: "describe", file: parts.image })),
    });
    const { kernel, ramdisks: files } = parts;
    const order: EifOrder = {
      do: "build",
      file: out,
      kernel,
      ramdisks: files,
      cmdline: CMDLINE,
      metadata: METADATA,
      flags: 0,
    };
    const built = await turns({
      ours: () => measureRun(BOOTPROOF, [...build, "--out", out]),
      openssl: () => measureRun("bash", openssl),
      crate: crate && (() => askCrate(crate, order)),
    });
    return [row(`describe, ${name}`, described), row(`build, ${name}`, built)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// The chain of PCR0 is as long as those of PCR1 and PCR2 together.
const OPENSSL = 'openssl dgst -sha384 "$1" & openssl dgst -sha384 "$2" "$3"; wait';

async function makeParts(folder: string, sizes: readonly number[]): Promise<Parts> {
  const at = (name: string): string => path.join(folder, name);
  const kernel = at("kernel");
  await writeRandom(kernel, KERNEL);
  const ramdisks = sizes.map((_, index) => at(`ramdisk${index}`));
  for (const [index, size] of sizes.entries()) await writeRandom(ramdisks[index] ?? "", size * MIB);
  const chains = [at("chain0"), at("chain1"), at("chain2")] as const;
  const join = 'printf %s "$1" | cat "$2" - "${@:4}" > "$3"';
  await execa("bash", ["-c", join, "bash", CMDLINE, kernel, chains[0], ...ramdisks]);
  await execa("bash", ["-c", join, "bash", CMDLINE, kernel, chains[1], ...ramdisks.slice(0, 1)]);
  await execa("bash", ["-c", 'cat "${@:2}" < /dev/null > "$1"', "bash", chains[2], ...ramdisks.slice(1)]);
  // What is written out while others are measured would be their time.
  await execa("sync");
  return { kernel, ramdisks, image: at("image.eif"), chains };
}

async function writeRandom(file: string, size: number): Promise<void> {
  const stream = createWriteStream(file);
  for (let left = size; left > 0; left -= MIB)
    if (!stream.write(randomFillSync(Buffer.alloc(Math.min(MIB, left))))) await once(stream, "drain");
  stream.end();
  await once(stream, "finish");
}

/** A comparison of tools that compute different things is none. */
async function agree({ image }: Parts, crate: EifCrate | undefined): Promise<void> {
  const { stdout } = await execa(BOOTPROOF, ["measure", "nitro", "--quiet", "--json", image]);
  const { registers } = JSON.parse(stdout) as { registers: Record<string, string> };
  const [answer] = (await crate?.ask([{ do: "describe", file: image }])) ?? [];
  for (const [name, value] of Object.entries(answer?.pcrs ?? {}))
    if (name.startsWith("PCR") && registers[name] !== value)
      throw new Error(`the crate says ${name} ${value}, not ${registers[name] ?? "nothing"}`);
}

/** A command's time by the clock, and its memory in MiB. */
interface Run {
  readonly time: number;
  readonly memory: number;
}

async function measureRun(file: string, args: readonly string[], input = ""): Promise<Run> {
  const start = performance.now();
  const child = spawn(file, args, { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.end(input);
  const ended = once(child, "exit") as Promise<[number | null]>;
  const [memory, [code]] = await Promise.all([watchMemory(child), ended]);
  const time = performance.now() - start;
  if (code !== 0) throw new Error(`${file} ended with ${code ?? "a signal"}`);
  return { time, memory };
}

/** The largest memory that a process and its children had, all together. */
async function watchMemory(child: ChildProcess): Promise<number> {
  let memory = 0;
  while (child.exitCode === null && child.signalCode === null) {
    if (child.pid !== undefined) memory = Math.max(memory, (await usageOf(child.pid)).memory);
    await sleep(20);
  }
  return memory;
}

const askCrate = (crate: EifCrate, order: EifOrder): Promise<Run> =>
  measureRun(crate.file, [], `${JSON.stringify(order)}\n`);

type Runs = Readonly<Record<"ours" | "openssl" | "crate", Run | undefined>>;

/** Medians of some rounds, after one to warm up, in which all take turns. */
async function turns(
  who: Readonly<Record<"ours" | "openssl", () => Promise<Run>>> & {
    readonly crate: (() => Promise<Run>) | undefined;
  },
): Promise<Runs> {
  const all = { ours: [] as Run[], openssl: [] as Run[], crate: [] as Run[] };
  for (let round = 0; round <= ROUNDS; round++)
    for (const name of ["ours", "openssl", "crate"] as const) {
      const run = await who[name]?.();
      if (round > 0 && run !== undefined) all[name].push(run);
    }
  const median = (runs: readonly Run[]): Run | undefined =>
    runs.length === 0
      ? undefined
      : { time: middle(runs.map(({ time }) => time)), memory: Math.max(...runs.map(({ memory }) => memory)) };
  return { ours: median(all.ours), openssl: median(all.openssl), crate: median(all.crate) };
}

function row(what: string, { ours, openssl, crate }: Runs): string[] {
  const time = (run: Run | undefined): string => (run === undefined ? "" : milliseconds(run.time));
  const memory = (run: Run | undefined): string => (run === undefined ? "" : `${run.memory.toFixed(0)} MiB`);
  const ratio = ((ours?.time ?? Number.NaN) / (openssl?.time ?? Number.NaN)).toFixed(2);
  return [what, time(ours), time(openssl), ratio, time(crate), memory(ours), memory(crate)];
}
