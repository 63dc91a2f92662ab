/**
 * Signers whose key is held by a program: the message on its stdin, the raw signature on its stdout, nothing else.
 * Key services and hardware modules are reached so, without their libraries in this process.
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { dirname } from "node:path";

import type { Signer } from "@bootproof/bytes/signing";

import { reading } from "../errors/reading.ts";
import { readInput } from "../frame/files.ts";
import { checkedSigner, signatureLength } from "./checked-signer.ts";
import { parseSignerCommand, type SigningProgram } from "./command-config.ts";
import { didNotSign } from "./signer-failure.ts";

const MAX_CONFIG = 64 * 1024;

/** Opens the signer that a file describes; the program runs in that file's folder. */
export async function openCommandSigner(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Signer> {
  const bytes = await readInput(file, MAX_CONFIG);
  const config = reading(file, () => parseSignerCommand(bytes));
  const surroundings = { cwd: dirname(file), env, limit: signatureLength(config.vkey) };
  return checkedSigner(config.vkey, (message) => runSigningProgram(config, message, surroundings));
}

/** Where a program runs, and the most bytes that it may answer. */
export interface ProgramSurroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limit: number;
}

/** What a program answers to a message; throws a failure when it does not, or not in time. Nothing is verified. */
export async function runSigningProgram(
  { command: [program = "", ...args], timeoutSeconds, environment }: SigningProgram,
  message: Uint8Array,
  { cwd, env, limit: most }: ProgramSurroundings,
): Promise<Uint8Array> {
  const names = ["PATH", ...environment].filter((name) => env[name] !== undefined);
  const child = spawn(program, args, {
    cwd,
    env: Object.fromEntries(names.map((name) => [name, env[name]])),
    // What it says on stderr may hold secrets, and stderr is ours: it has to log by itself.
    stdio: ["pipe", "pipe", "ignore"],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
    killGroup(child);
  }, timeoutSeconds * 1000);
  try {
    const answer = await answerOf(child, message, most);
    // It ended well, and what it left behind held its output open until it was ended.
    limit.signal.throwIfAborted();
    return answer;
  } catch (error) {
    const found = limit.signal.aborted ? `no answer within ${timeoutSeconds} s` : reasonOf(error);
    throw didNotSign(
      "the program that signs has failed",
      found,
      "run it by hand with a message on stdin",
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What the program wrote, once it has ended well. */
async function answerOf(child: ChildProcess, message: Uint8Array, limit: number): Promise<Uint8Array> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("it has no pipes");
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(code === null ? `ended by ${String(signal)}` : `exit status ${code}`));
    });
  });
  // A program that ends without reading its input says why by its status, or answers all the same.
  stdin.on("error", () => undefined);
  stdin.end(message);
  const chunks: Buffer[] = [];
  let size = 0;
  stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else killGroup(child);
  });
  await ended.catch((error: unknown) => {
    if (size <= limit) throw error;
  });
  if (size > limit) throw new Error(`it wrote more than the ${limit} bytes of a signature`);
  return new Uint8Array(Buffer.concat(chunks));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "an unknown reason";
  // A message of the system names the program, which its owner knows; its code is enough.
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
