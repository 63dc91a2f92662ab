/**
 * Other tools that answer the same question, as far as this machine can have them.
 * @module
 */
import path from "node:path";
import { ROOT } from "../image.ts";
import type { Command } from "../timing.ts";

/** A tool that is there. */
export interface Peer {
  readonly name: string;
  /** Prints the launch digest of an SNP guest with this firmware and four EPYC-Milan vCPUs. */
  measure(firmware: string): Command;
  /** Prints the median milliseconds of hashing this many times a file's pages and a PAGE_INFO each with OpenSSL. */
  hashPages?(firmware: string, runs: number): Command;
}

/** A tool that is not. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}

/** Where peers are installed and built, once. */
export const PEERS: string = path.join(ROOT, "node_modules/.cache/bootproof-bench");

/** Why an installation failed, in a line. */
export function whyOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (
    text.split("\n").find((line) => /error|not found|ENOENT|no such/i.test(line)) ??
    text.split("\n")[0] ??
    ""
  )
    .trim()
    .slice(0, 160);
}
