/**
 * AWS's own library for enclave images, the one inside nitro-cli, in a program that takes orders line by line.
 * @module
 */
import { cp } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { type Missing, PEERS, whyOf } from "./peer.ts";

const VERSION = "0.8.1";

/** An order to the program. */
export type EifOrder =
  | { readonly do: "describe"; readonly file: string }
  | {
      readonly do: "build";
      readonly file: string;
      readonly kernel: string;
      readonly cmdline: string;
      readonly ramdisks: readonly string[];
      readonly metadata: object;
      /** 1 for aarch64. */
      readonly flags: 0 | 1;
      /** PEM files. */
      readonly key?: string | undefined;
      readonly certificate?: string | undefined;
    };

/** Its answer: what the crate says, or that it gave up. */
export interface EifAnswer {
  readonly pcrs?: Readonly<Record<string, string>>;
  /** Whether the header's CRC is that of the file. */
  readonly crc?: boolean;
  readonly metadata?: unknown;
  /** Whether the signature is of the PCR0 that was computed, as `describe-eif` prints. */
  readonly signed?: boolean | null;
  /** Why the check of `run-enclave` refuses the signature; null when it does not. */
  readonly verified?: string | null;
  readonly error?: string;
  readonly panic?: true;
}

/** The program. */
export interface EifCrate {
  readonly name: string;
  readonly file: string;
  /** Answers, one for each order; fewer when the program died. */
  ask(orders: readonly EifOrder[]): Promise<EifAnswer[]>;
}

/** Builds it, or says why it cannot be had. */
export async function eifCrate(): Promise<EifCrate | Missing> {
  const name = `aws-nitro-enclaves-image-format ${VERSION}`;
  const target = path.join(PEERS, "eif-crate");
  try {
    // Built elsewhere, because cargo writes beside the manifest.
    await cp(path.join(import.meta.dirname, "eif-crate"), target, { recursive: true });
    await execa("cargo", ["build", "--release", "--quiet"], { cwd: target });
  } catch (error) {
    return { name, why: whyOf(error) };
  }
  const file = path.join(target, "target/release/bootproof-eif-peer");
  const ask = async (orders: readonly EifOrder[]): Promise<EifAnswer[]> => {
    const input = orders.map((order) => `${JSON.stringify(order)}\n`).join("");
    const { stdout } = await execa(file, { input, reject: false, maxBuffer: 2 ** 28 });
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EifAnswer);
  };
  return { name, file, ask };
}
