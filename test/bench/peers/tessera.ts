/**
 * Tessera's log on a directory, its load generator and its fsck, built by the machine's `go` from the module as published.
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { type Missing, PEERS, whyOf } from "./peer.ts";

const VERSION = "1.0.4";
const MODULE = `github.com/transparency-dev/tessera@v${VERSION}`;
/** `posix` serves a log with POST /add; the hammer is internal to the module, so all is built inside a copy of it. */
const PROGRAMS = ["./cmd/conformance/posix", "./internal/hammer", "./cmd/fsck"];

/** Paths of the programs. */
export interface Tessera {
  readonly name: string;
  readonly posix: string;
  readonly hammer: string;
  readonly fsck: string;
}

/** Builds it once, or says why it cannot be had. */
export async function tessera(): Promise<Tessera | Missing> {
  const name = `Tessera ${VERSION}`;
  const place = path.join(PEERS, `tessera-${VERSION}`);
  try {
    if (!existsSync(place)) await buildInto(place);
  } catch (error) {
    return { name, why: whyOf(error) };
  }
  const program = (file: string): string => path.join(place, file);
  return { name, posix: program("posix"), hammer: program("hammer"), fsck: program("fsck") };
}

async function buildInto(place: string): Promise<void> {
  await mkdir(PEERS, { recursive: true });
  const work = await mkdtemp(`${place}.`);
  try {
    const { stdout } = await execa("go", ["mod", "download", "-json", MODULE], { cwd: work });
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    const source = path.join(work, "source");
    await execa("cp", ["-r", "--no-preserve=mode", Dir, source]); // what Go downloads is read-only
    await execa("go", ["build", "-trimpath", "-o", `${path.join(work, "bin")}/`, ...PROGRAMS], {
      cwd: source,
    });
    await rename(path.join(work, "bin"), place);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
