/**
 * SNP launch digests side by side with other tools, as ratios: in one run, taking turns, so that a busy machine is
 * busy for all.
 * @module
 */
import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sha384 } from "@bootproof/bytes";
import { imageLoaders, solveSnp } from "@bootproof/measure/solve";
import { combineAxes, measureSnp, prepareSnp, resolveShape } from "@bootproof/measure/snp";
import { execa } from "execa";
import { BOOTPROOF, makeImage } from "./image.ts";
import type { Missing, Peer } from "./peers/peer.ts";
import { sevCrate } from "./peers/sev-crate.ts";
import { sevSnpMeasure } from "./peers/sev-snp-measure.ts";
import { milliseconds, type Table } from "./table.ts";
import { type Command, medians, middle, processorTimes } from "./timing.ts";

/** Runs of code, and of commands. */
const RUNS = { code: 60, command: 20 };
const SOLVER_SHAPES = 196_608;

type Row = readonly [what: string, ours: string, other: string, ratio: string, aim: string];

/** Compares with every peer that can be had, and says which cannot. */
export async function benchSnp(): Promise<Table> {
  const folder = await mkdtemp(path.join(tmpdir(), "bootproof-bench-"));
  try {
    const firmware = makeImage();
    const file = path.join(folder, "OVMF.fd");
    await writeFile(file, firmware);
    const found = [await sevSnpMeasure(), await sevCrate()];
    const peers = found.filter((peer): peer is Peer => "measure" in peer);
    const missing = found.filter((peer): peer is Missing => "why" in peer);
    await agree(firmware, file, peers);
    return {
      name: "snp",
      head: ["what", "bootproof", "other", "ratio", "aim"],
      rows: [
        ...(await library(firmware, file, peers)),
        ...(await processes(file, peers)),
        await matrix(firmware),
        solver(firmware),
      ],
      notes: missing.map(({ name, why }) => `Skipped: ${name} cannot be had here (${why}).`),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SHAPE = { vcpus: 4, cpu: "EPYC-Milan" };
const OURS = ["measure", "snp", "--vcpus", "4", "--vcpu-type", "EPYC-Milan", "--ovmf"];

const CPUS = ["EPYC", "EPYC-Rome", "EPYC-Milan", "EPYC-Genoa", "EPYC-Turin"];
const AXES = ["--vcpus", "1..64", "--vcpu-type", CPUS.join(","), "--guest-features", "0x1,0x21"];
const MATRIX = ["measure", "snp", "--json", ...AXES, "--ovmf"];

/** A comparison of tools that compute different things is none. */
async function agree(firmware: Uint8Array, file: string, peers: readonly Peer[]): Promise<void> {
  const ours = measureSnp({ firmware }, SHAPE).registers["launchDigest"];
  for (const peer of peers) {
    const { file: command, args } = peer.measure(file);
    const { stdout } = await execa(command, args);
    if (stdout.trim() !== ours) throw new Error(`${peer.name} says ${stdout}, not ${ours ?? "nothing"}`);
  }
}

async function library(firmware: Uint8Array, file: string, peers: readonly Peer[]): Promise<Row[]> {
  const info = new Uint8Array(112);
  const [ours = 0, pages = 0] = await medians(RUNS.code, [
    () => measureSnp({ firmware }, SHAPE).registers,
    () => {
      for (let at = 0; at < firmware.length; at += 4096) {
        hash("sha384", firmware.subarray(at, at + 4096), "binary");
        hash("sha384", info, "binary");
      }
    },
  ]);
  const what = "one digest of a 4 MiB image, in the library";
  const rows: Row[] = [compare(what, ours, "its pages hashed alone, node:crypto", pages, "at most 1.3")];
  for (const peer of peers) {
    const command = peer.hashPages?.(file, RUNS.code);
    if (command === undefined) continue;
    const { stdout } = await execa(command.file, command.args);
    rows.push(compare(what, ours, "its pages hashed alone, OpenSSL from Rust", Number(stdout), ""));
  }
  return rows;
}

async function processes(file: string, peers: readonly Peer[]): Promise<Row[]> {
  const commands: Command[] = [
    { file: BOOTPROOF, args: [...OURS, file] },
    { file: BOOTPROOF, args: ["--version"] },
    { file: process.execPath, args: ["--eval", "0"] },
    { file: BOOTPROOF, args: [...MATRIX, file] },
    ...peers.map((peer) => peer.measure(file)),
  ];
  const [ours = 0, version = 0, node = 0, all = 0, ...others] = await processorTimes(RUNS.command, commands);
  const aims: Readonly<Record<number, string>> = { 0: "at most 0.5" };
  return [
    ...peers.map(({ name }, index) =>
      compare(
        "the same as a command, processor time",
        ours,
        name,
        others[index] ?? Number.NaN,
        aims[index] ?? "",
      ),
    ),
    compare("the same", ours, "Node that does nothing", node, ""),
    [
      "640 shapes in one command, above one digest",
      milliseconds(all - ours),
      `one digest: ${milliseconds(ours)}`,
      "",
      "at most 100 ms",
    ],
    compare(
      "`bootproof --version`, processor time",
      version,
      "Node that does nothing",
      node,
      "at most 80 ms",
    ),
  ];
}

/** 64 numbers of vCPUs, 5 CPUs, 2 feature sets, beside one digest: each from the image, nothing kept. */
async function matrix(firmware: Uint8Array): Promise<Row> {
  const shapes = [
    ...combineAxes({
      profiles: ["qemu-kvm-mainline"],
      cpus: CPUS.map((cpu) => ({ cpu })),
      guestFeatures: [0x1n, 0x21n],
      vcpus: Array.from({ length: 64 }, (_, index) => index + 1),
    }),
  ];
  const digests = (some: typeof shapes): void => {
    const launch = prepareSnp(firmware);
    for (const shape of some) launch.digest(resolveShape(shape));
  };
  const [all = 0, one = 0] = await medians(RUNS.code / 3, [
    () => digests(shapes),
    () => digests(shapes.slice(0, 1)),
  ]);
  return [
    `${shapes.length} shapes in the library, above one digest`,
    milliseconds(all - one),
    `one digest: ${milliseconds(one)}`,
    "",
    "at most 100 ms",
  ];
}

/** A digest that nothing gives, so that every shape is tried. */
function solver(firmware: Uint8Array): Row {
  const observed = sha384(new Uint8Array(1));
  const claim = {
    firmware: imageLoaders(firmware),
    vcpus: 4,
    cpu: { signature: 0xa0_0f11, model: "EPYC-Milan" },
  };
  const times: number[] = [];
  let tried = 0;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    ({ digests: tried } = solveSnp(claim, observed, { goOn: ({ digests }) => digests < SOLVER_SHAPES }));
    times.push(performance.now() - start);
  }
  return [
    `solver: ${tried.toLocaleString("en")} shapes that do not match`,
    milliseconds(middle(times)),
    "",
    "",
    "at most 2 s",
  ];
}

function compare(what: string, ours: number, other: string, theirs: number, aim: string): Row {
  return [what, milliseconds(ours), `${other}: ${milliseconds(theirs)}`, (ours / theirs).toFixed(2), aim];
}
