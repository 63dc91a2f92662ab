/**
 * How long the pieces take: hashing, measuring, the store and the log.
 * @module
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sha384 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { Log } from "@bootproof/log";
import { measureSnp, prepareSnp, resolveShape } from "@bootproof/measure/snp";
import { DirectoryBlobs, DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { execa } from "execa";
import { BOOTPROOF, makeImage } from "./image.ts";
import { type Table, milliseconds } from "./table.ts";
import { median } from "./timing.ts";

interface Row {
  readonly what: string;
  readonly milliseconds: number;
  readonly each?: string;
}

/** Measures the pieces. */
export async function benchPieces(): Promise<Table> {
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-"));
  try {
    const rows = [
      ...(await measuring()),
      ...(await storing(folder)),
      ...(await logging(folder)),
      ...(await starting(folder)),
    ];
    return {
      name: "pieces",
      head: ["what", "time", ""],
      rows: rows.map((row) => [row.what, milliseconds(row.milliseconds), row.each ?? ""]),
      notes: [],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measuring(): Promise<Row[]> {
  const firmware = makeImage();
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

async function starting(folder: string): Promise<Row[]> {
  const file = path.join(folder, "OVMF.fd");
  await writeFile(file, makeImage());
  const measure = ["measure", "snp", "--ovmf", file, "--vcpus", "4", "--vcpu-type", "EPYC-Milan"];
  return [
    { what: "`bootproof version`", milliseconds: await median(10, () => execa(BOOTPROOF, ["version"])) },
    {
      what: "`bootproof measure snp`, 4 MiB",
      milliseconds: await median(10, () => execa(BOOTPROOF, measure)),
    },
  ];
}
