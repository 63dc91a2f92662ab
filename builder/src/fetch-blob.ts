/**
 * Brings one file, known by sha256 and size, into the store from the first place that has it.
 * @module
 */
import { createReadStream } from "node:fs";
import { stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DirectoryBlobs, StoreError } from "@bootproof/store";
import { BuildError } from "./build-error.ts";
import { download, type DownloadOptions, type Wanted } from "./download.ts";
import { mirrorName, type Mirror } from "./mirrors.ts";
import { claimPartial } from "./partial-files.ts";

/** The store inputs are brought into. */
export interface InputStore {
  readonly blobs: DirectoryBlobs;
  /** Folder of files being downloaded. */
  readonly partials: string;
}

/** Opens the store at `root` for inputs. */
export async function openInputStore(root: string): Promise<InputStore> {
  return { blobs: await DirectoryBlobs.open(root), partials: join(root, "partial") };
}

/** A file to fetch: what it is called in messages, and where it may be. */
export interface WantedFile extends Wanted {
  readonly name: string;
  /** Its paths under an archive mirror, the best first. */
  readonly paths?: readonly string[];
  /** Its own URL, when it has one. */
  readonly url?: string | undefined;
}

/** A place that was asked, and its answer. */
interface Answer {
  readonly kind: "absent" | "different" | "unreachable";
  readonly place: string;
  readonly answer: string;
  readonly found?: string;
}

/**
 * Fetches `file` into the store unless it is there. Throws {@link BuildError} BP-INPUT-001 when every
 * place that answers lacks it, 002 when one had other bytes, 003 when it may not use the network, 005 when the store
 * cannot be written, 008 when no place answers.
 */
export async function fetchBlob(
  store: InputStore,
  file: WantedFile,
  mirrors: readonly Mirror[],
  options: DownloadOptions & { readonly offline?: boolean | undefined } = {},
): Promise<void> {
  if (await store.blobs.touch(file.sha256)) return;
  const answers: Answer[] = [];
  for (const folder of mirrors.filter((mirror) => mirror.kind === "folder"))
    if (await copyFrom(store, file, folder.path, answers)) return;
  if (options.offline === true) throw absentOffline(file, answers);
  const partial = await claimPartial(store.partials, file.sha256).catch((error: unknown) => {
    throw writeFailure(error, store.partials);
  });
  try {
    for (const { url, place } of urlsOf(file, mirrors)) {
      const result = await download(url, file, partial.path, options);
      if (result.kind === "complete") {
        await store.blobs.putFile(partial.path);
        await unlink(partial.path);
        return;
      }
      answers.push({ place, ...result });
    }
  } catch (error) {
    throw writeFailure(error, partial.path);
  } finally {
    await dropEmpty(partial.path);
    partial.release();
  }
  throw refused(file, answers);
}

/** Every URL at which the file may be, in the order of the mirrors, its own URL last. */
function* urlsOf(file: WantedFile, mirrors: readonly Mirror[]): Generator<{ url: string; place: string }> {
  for (const mirror of mirrors) {
    const base = mirrorName(mirror);
    if (mirror.kind === "vendored")
      for (const path of vendoredPaths(file)) yield { url: `${base}/${path}`, place: `${base}/${path}` };
    if (mirror.kind === "archive")
      for (const path of file.paths ?? []) yield { url: `${base}/${path}`, place: base };
  }
  if (file.url !== undefined) yield { url: file.url, place: file.url };
}

const vendoredPaths = (file: WantedFile): string[] => [
  `materials/sha256/${file.sha256}`,
  `sha256/${file.sha256}`,
  ...(file.paths ?? []),
  file.name,
];

async function copyFrom(
  store: InputStore,
  file: WantedFile,
  folder: string,
  answers: Answer[],
): Promise<boolean> {
  let present = false;
  for (const name of vendoredPaths(file)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    present = true;
    const different = await copyVerified(store, path, file.sha256);
    if (different === undefined) return true;
    answers.push({
      kind: "different",
      place: path,
      answer: `holds other bytes, sha256 ${different}`,
      found: different,
    });
  }
  if (!present) answers.push({ kind: "absent", place: folder, answer: "does not have it" });
  return false;
}

/** Copies a file into the store when it has that sha256; returns the one it has when it is another. */
export async function copyVerified(
  store: InputStore,
  path: string,
  sha256: string,
): Promise<string | undefined> {
  return putVerified(store, createReadStream(path, { highWaterMark: CHUNK }), sha256);
}

const CHUNK = 1024 * 1024;

/** Stores what a stream yields when it has that sha256; returns the one it has when it is another. */
export async function putVerified(
  store: InputStore,
  source: AsyncIterable<Uint8Array>,
  sha256: string,
): Promise<string | undefined> {
  try {
    await store.blobs.putStream(source, { sha256 });
    return undefined;
  } catch (error) {
    if (error instanceof StoreError && error.code === "BP-STORE-005")
      return error.found?.replace(/^sha256 /, "");
    throw error;
  }
}

/** A full disk or a read-only store, in words; anything else as it is. */
function writeFailure(error: unknown, file: string): unknown {
  if (error instanceof StoreError || !(error instanceof Error) || !("syscall" in error) || !("code" in error))
    return error;
  return new BuildError("BP-INPUT-005", `${file}: cannot be written`, {
    file,
    found: String(error.code),
    hint: "free some space, or point BOOTPROOF_STORE at a disk that can be written",
    cause: error,
  });
}

async function dropEmpty(path: string): Promise<void> {
  const left = await stat(path).catch(() => undefined);
  if (left?.size === 0) await unlink(path);
}

function refused(file: WantedFile, answers: readonly Answer[]): BuildError {
  const asked = answers.map(({ place, answer }) => `${place}: ${answer}`);
  const found = [...new Set(answers.flatMap((answer) => answer.found ?? []))];
  if (found.length > 0)
    return new BuildError(
      "BP-INPUT-002",
      lines(`${file.name}: the bytes are not the ones the lock names`, asked),
      {
        expected: file.sha256,
        found: found.join(", "),
        issues: asked,
        hint: "a mirror may lie or be damaged; name another with --mirror URL or --from DIR",
      },
    );
  if (answers.every(({ kind }) => kind === "unreachable"))
    return new BuildError("BP-INPUT-008", lines(`${file.name}: no mirror could be asked`, asked), {
      expected: file.sha256,
      issues: asked,
      hint:
        asked.length === 0
          ? "no mirror is known: name one with --mirror URL, --from DIR or BOOTPROOF_DEBIAN_MIRROR"
          : "check the network and try again, or name another mirror with --mirror URL or --from DIR",
    });
  return new BuildError("BP-INPUT-001", lines(`${file.name}: no mirror has it`, asked), {
    expected: file.sha256,
    issues: asked,
    hint: "name a mirror that still has it with --mirror URL or --from DIR, or lock again",
  });
}

function absentOffline(file: WantedFile, answers: readonly Answer[]): BuildError {
  const asked = answers.map(({ place, answer }) => `${place}: ${answer}`);
  return new BuildError(
    "BP-INPUT-003",
    lines(`${file.name}: not in the store, and the network may not be used`, asked),
    {
      expected: file.sha256,
      issues: asked,
      hint: "run once without --offline, or give the folder that has it with --from DIR",
    },
  );
}

const lines = (first: string, rest: readonly string[]): string =>
  [first, ...rest.map((line) => `  ${line}`)].join("\n");
