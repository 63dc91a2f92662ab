/**
 * Assembles an enclave image once more, in a process of its own and under other conditions, and compares.
 * @module
 */
import { lstat, mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Blob } from "@bootproof/store";
import { BuildError, type BuildErrorCode } from "../build-error.ts";
import { compareArtifacts, type Comparison, type SectionDescriber } from "../compare.ts";
import { availableMemory, type Variation } from "../conditions.ts";
import { run } from "../process.ts";
import type { BuildStore } from "../toolchain-root.ts";
import { makeWorkFolder, removeStaleFolders } from "../work-folder.ts";
import { ASSEMBLY_FOLDER } from "./assemble.ts";
import type { AgainAnswer, AgainOrder } from "./assemble-again.ts";
import type { AssemblyOrder } from "./assembly.ts";

/** What was assembled first, and how the second is shown. */
export interface TwiceOptions {
  readonly store: BuildStore;
  /** The output's name. */
  readonly name: string;
  readonly first: Blob;
  readonly signal?: AbortSignal | undefined;
  readonly describe?: SectionDescriber | undefined;
}

/** What assembling twice showed. */
export interface AssembledTwice {
  readonly comparison: Comparison;
  readonly variations: readonly Variation[];
}

const MEMORY = "/dev/shm";
/** An image and its ramdisks, each about as large, with room to spare. */
const ROOM = 4;

const ENVIRONMENT = {
  HOME: "/home/another.builder",
  LANG: "de_DE.UTF-8",
  LC_ALL: "C",
  TZ: "<+1245>-12:45",
  USER: "another.builder",
};

/** Assembles `order` again; throws what the second run was refused with. */
export async function assembleTwice(order: AssemblyOrder, options: TwiceOptions): Promise<AssembledTwice> {
  const { store, name, first, describe } = options;
  const memory = (await fitsInMemory(first.size)) ? await openMemoryFolder() : undefined;
  const parent = memory ?? join(store.path, ASSEMBLY_FOLDER);
  await removeStaleFolders(parent);
  const folder = await makeWorkFolder(parent);
  try {
    const file = await runAgain({ order, parts: store.path, folder }, options.signal);
    const second = await store.blobs.putFile(file);
    const comparison = await compareArtifacts(store.blobs, { [name]: first }, { [name]: second }, describe);
    return { comparison, variations: describeVariations(memory !== undefined) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAgain(again: AgainOrder, signal: AbortSignal | undefined): Promise<string> {
  await writeFile(join(again.folder, "order.json"), JSON.stringify(again));
  const source = import.meta.url.endsWith(".ts");
  const program = new URL(`./assemble-again.${source ? "ts" : "js"}`, import.meta.url).pathname;
  const node = [process.execPath, ...(source ? ["--conditions=@bootproof/source"] : []), program];
  const { exitCode, stdout, stderr } = await run(
    "/bin/sh",
    ["-c", 'umask 027; exec "$@"', "sh", ...node, again.folder],
    { cwd: "/", env: ENVIRONMENT, ...(signal === undefined ? {} : { signal }) },
  );
  signal?.throwIfAborted();
  if (exitCode !== 0) throw new Error(`assembling again ended with ${exitCode ?? "a signal"}: ${stderr}`);
  const answer = JSON.parse(stdout) as AgainAnswer;
  if (!("code" in answer)) return answer.file;
  const { code, message, file } = answer;
  throw new BuildError(code as BuildErrorCode, message, file === undefined ? {} : { file });
}

async function fitsInMemory(size: number): Promise<boolean> {
  const needed = size * ROOM + 64 * 2 ** 20;
  const room = await statfs(MEMORY).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > needed && availableMemory() / 2 > needed;
}

/** This user's own folder in memory; undefined where somebody else has taken its name. */
async function openMemoryFolder(): Promise<string | undefined> {
  const user = process.getuid?.() ?? 0;
  const folder = join(MEMORY, `bootproof-assembly-${user}`);
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === user ? folder : undefined;
}

function describeVariations(inMemory: boolean): Variation[] {
  return [
    { what: "process", first: "the command's", second: "its own" },
    { what: "working folder", first: "the caller's", second: "/" },
    { what: "files", first: "in the store", second: inMemory ? "in memory" : "in another folder" },
    { what: "home and user name", first: "the caller's", second: "another.builder" },
    { what: "umask", first: "the caller's", second: "027" },
    { what: "locale", first: "the caller's", second: "C, with LANG=de_DE.UTF-8" },
    { what: "time zone", first: "the caller's", second: "12:45 hours east" },
  ];
}
