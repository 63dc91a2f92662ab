/**
 * A git commit as a tar that is the same wherever it is made: `git archive` of the commit, with the
 * configuration that could change its bytes set here. The lock's sha256 has the last word.
 * @module
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Blob } from "@bootproof/store";
import { BuildError } from "./build-error.ts";
import type { InputStore } from "./fetch-blob.ts";
import { run, type RunResult } from "./process.ts";

/** A commit to fetch; `name` is the tar's name, and without `.tar` the folder in it. */
export interface GitCommit {
  readonly url: string;
  readonly commit: string;
  readonly name: string;
}

const TIME_LIMIT_MS = 30 * 60_000;
const CONFIG = ["-c", "tar.umask=0022", "-c", "core.autocrlf=false", "-c", "transfer.fsckObjects=true"];

/** Fetches a commit and stores its tar; throws {@link BuildError} BP-INPUT-004. */
export async function fetchGitCommit(
  store: InputStore,
  source: GitCommit,
  signal?: AbortSignal,
): Promise<Blob> {
  await mkdir(store.partials, { recursive: true });
  const folder = await mkdtemp(join(store.partials, "git-"));
  const git = (...args: readonly string[]): Promise<RunResult> =>
    run("git", ["-C", folder, ...CONFIG, ...args], {
      env: environment(folder),
      timeoutMs: TIME_LIMIT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  try {
    await must(source, "make a repository", git("init", "--bare", "--quiet", "."));
    await fetchObjects(source, git);
    await must(source, "find the commit", git("cat-file", "commit", source.commit));
    const tar = join(folder, "source.tar");
    const prefix = `${source.name.replace(/\.tar$/, "")}/`;
    await must(
      source,
      "archive",
      git("archive", "--format=tar", `--prefix=${prefix}`, `--output=${tar}`, source.commit),
    );
    return await store.blobs.putFile(tar);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The one commit when the server gives it by name, else every branch and tag. */
async function fetchObjects(
  source: GitCommit,
  git: (...args: readonly string[]) => Promise<RunResult>,
): Promise<void> {
  const one = await git(
    "fetch",
    "--quiet",
    "--no-tags",
    "--depth=1",
    "--end-of-options",
    source.url,
    source.commit,
  );
  if (one.exitCode === 0) return;
  const all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  await must(source, "fetch", git("fetch", "--quiet", "--end-of-options", source.url, ...all));
}

async function must(source: GitCommit, what: string, running: Promise<RunResult>): Promise<void> {
  const { exitCode, stderr } = await running;
  if (exitCode === 0) return;
  throw new BuildError("BP-INPUT-004", `${source.url}: git could not ${what}`, {
    expected: `commit ${source.commit}`,
    found: stderr.trim().split("\n").slice(-3).join("; ") || `exit status ${exitCode ?? "none"}`,
    hint:
      exitCode === undefined
        ? "is git installed, and can the server be reached?"
        : "is the commit on a branch or tag of that repository?",
  });
}

/** Nothing of the user's or the machine's configuration reaches the archive. */
const environment = (folder: string): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: folder,
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "http:https:ssh:file",
});
