/**
 * virtee/sev, the crate behind snpguest, in a program of thirty lines that does nothing else.
 * @module
 */
import { cp } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { type Missing, type Peer, PEERS, whyOf } from "./peer.ts";

const VERSION = "8.0.0";

/** Builds it, or says why it cannot be had. */
export async function sevCrate(): Promise<Peer | Missing> {
  const name = `sev crate ${VERSION}`;
  const target = path.join(PEERS, "sev-crate");
  try {
    // Built elsewhere, because cargo writes beside the manifest.
    await cp(path.join(import.meta.dirname, "sev-crate"), target, { recursive: true });
    await execa("cargo", ["build", "--release", "--quiet"], { cwd: target });
  } catch (error) {
    return { name, why: whyOf(error) };
  }
  const file = path.join(target, "target/release/bootproof-bench-peer");
  return {
    name,
    measure: (firmware) => ({ file, args: ["measure", firmware, "4"] }),
    hashPages: (firmware, runs) => ({ file, args: ["pages", firmware, `${runs}`] }),
  };
}
