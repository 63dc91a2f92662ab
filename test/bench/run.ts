/**
 * `npm run bench`: how long the pieces take on this machine. Prints a table; asserts nothing.
 * @module
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { sha384 } from "@bootproof/bytes";
import { signerOf, makeSigningKey } from "@bootproof/bytes/signing";
import { Log } from "@bootproof/log";
import { measureSnp, prepareSnp, resolveShape } from "@bootproof/measure/snp";
import { DirectoryBlobs, DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { execa } from "execa";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SUFFIX = path.join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");

interface Row {
  readonly what: string;
  readonly milliseconds: number;
  readonly each?: string;
}

/** The median of `runs` runs, after one to warm up. */
async function median(runs: number, run: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index <= runs; index++) {
    const start = performance.now();
    await run();
    if (index > 0) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[runs >> 1] ?? Number.NaN;
}

/** A 4 MiB image: noise, with the end of a real one. */
async function image(): Promise<Uint8Array> {
  const suffix = await readFile(SUFFIX);
  const whole = new Uint8Array(4 << 20);
  for (let index = 0; index < whole.length; index += 64) whole[index] = index >> 6;
  whole.set(suffix, whole.length - suffix.length);
  return whole;
}

async function measuring(): Promise<Row[]> {
  const firmware = await image();
  const shapes = Array.from({ length: 512 }, (_, index) =>
    resolveShape({ vcpus: index + 1, cpu: "EPYC-Milan" }),
  );
  return [
    { what: "SHA-384 of 4 MiB", milliseconds: await median(20, () => sha384(firmware)) },
    {
      what: "launch digest of a 4 MiB firmware, 4 vCPUs",
      milliseconds: await median(20, () => measureSnp({ firmware }, { vcpus: 4, cpu: "EPYC-Milan" })),
    },
    {
      what: "the same for 512 numbers of vCPUs",
      milliseconds: await median(5, () => {
        const launch = prepareSnp(firmware);
        for (const shape of shapes) launch.digest(shape);
      }),
    },
  ];
}

async function storing(folder: string): Promise<Row[]> {
  const blobs = await DirectoryBlobs.open(path.join(folder, "blobs"));
  let seed = 0;
  const fresh = (size: number): Uint8Array =>
    new Uint8Array(size).fill(7).fill((seed = (seed + 1) % 251), 0, 1 + ((seed * 37) % size));
  return [
    {
      what: "store: put an 8 KiB blob, durably",
      milliseconds: await median(20, () => blobs.put(fresh(8192))),
    },
    {
      what: "store: put a 64 MiB blob, durably",
      milliseconds: await median(3, () => blobs.put(fresh(64 << 20))),
    },
  ];
}

async function logging(folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const batch of [1, 256]) {
    const place = path.join(folder, `log-${batch}`);
    const log = await Log.create({
      origin: "bench.example/log",
      signer: signerOf(makeSigningKey("bench.example/log", new Uint8Array(32).fill(9))),
      objects: await DirectoryObjects.open(path.join(place, "public")),
      staging: await DirectoryObjects.open(path.join(place, "private")),
      head: await DirectoryHead.open(path.join(place, "head")),
    });
    let next = 0;
    const entries = (): Uint8Array[] =>
      Array.from({ length: batch }, () => new TextEncoder().encode(`entry ${next++} `.padEnd(1024, ".")));
    const milliseconds = await median(10, () => log.append(entries()));
    rows.push({
      what: `log: append ${batch} of 1 KiB, durably and published`,
      milliseconds,
      each: `${Math.round((batch * 1000) / milliseconds)} entries/s`,
    });
  }
  return rows;
}

async function starting(): Promise<Row[]> {
  const command = path.join(ROOT, "node_modules/.bin/bootproof");
  return [
    { what: "bootproof version", milliseconds: await median(5, () => execa(command, ["version"])) },
    {
      what: "bootproof measure snp",
      milliseconds: await median(5, () =>
        execa(command, ["measure", "snp", "--ovmf", SUFFIX, "--vcpus", "4", "--vcpu-type", "EPYC-Milan"]),
      ),
    },
  ];
}

const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-"));
try {
  console.log(
    `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}\n`,
  );
  for (const part of [measuring, () => storing(folder), () => logging(folder), starting])
    for (const { what, milliseconds, each } of await part())
      console.log(`${what.padEnd(52)} ${milliseconds.toFixed(1).padStart(9)} ms  ${each ?? ""}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
