/**
 * Mirrors on this machine: one that gives a lock's packages from a store as they are, and ones that do not.
 * @module
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";
import { BOOTPROOF, bootproof, ROOT, type Outcome, type RunOptions } from "./command.ts";

/** What a mirror makes of a file that it has; undefined: it says that it has none. */
export type Answer = (bytes: Buffer) => Buffer | undefined;

/** Answers that a mirror may give: the truth, nothing, or the same file with one bit changed. */
export const ANSWERS: Readonly<Record<"truth" | "nothing" | "lie", Answer>> = {
  truth: (bytes) => bytes,
  nothing: () => undefined,
  lie: (bytes) => {
    const lie = Buffer.from(bytes);
    lie[lie.length >> 1]! ^= 1;
    return lie;
  },
};

/**
 * Serves the packages of a lock, from the store that the tests run with, until the file's tests are done; its URL. They
 * are in the pool and, as in an archive of old states, in the pool of any time.
 */
export async function serveMirror(lockFile: string, answer: Answer): Promise<string> {
  const { stdout: store } = await bootproof(["store", "path"]);
  const lock = await readFile(lockFile, "utf8");
  const digests = new Map(
    [...lock.matchAll(/([0-9a-f]{64}) (pool\/\S+)$/gm)].map(([, hex, at]) => [at, hex]),
  );
  return serve(async (at) => {
    const hex = digests.get(decodeURIComponent(at).replace(/^archive\/debian\/\d{8}T\d{6}Z\//, ""));
    return hex === undefined
      ? undefined
      : answer(await readFile(path.join(store, "blobs", hex.slice(0, 2), hex)));
  });
}

/** Serves the files below `folder` until the file's tests are done; its URL. */
export function serveFolder(folder: string): Promise<string> {
  return serve((at) => readFile(path.join(folder, at)).catch(() => undefined));
}

async function serve(find: (at: string) => Promise<Buffer | undefined>): Promise<string> {
  const server: Server = createServer((request, response) => {
    void find((request.url ?? "/").replace(/^\/+/, "")).then((bytes) => {
      response.statusCode = bytes === undefined ? 404 : 200;
      response.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs `bootproof` where this machine's own mirrors are not known: an empty folder lies over /etc/apt. */
export async function bootproofWithoutApt(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return inMounts("mount -t tmpfs none /etc/apt", [BOOTPROOF, ...args], options);
}

/** Runs a command after `mounts`, in a mount namespace of its own. */
export async function inMounts(
  mounts: string,
  command: readonly string[],
  { cwd = ROOT, env = {} }: RunOptions = {},
): Promise<Outcome> {
  const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", `${mounts} && exec "$@"`, "sh"];
  const { exitCode, stdout, stderr } = await execa("unshare", [...unshare, ...command], {
    cwd,
    env: { CI: "true", ...env },
    reject: false,
    stdin: "ignore",
  });
  return { exitCode, stdout, stderr };
}
