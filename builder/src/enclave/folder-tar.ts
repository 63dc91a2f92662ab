/**
 * A folder beside a recipe as one tar that is the same on every machine: sorted by name, owned by root, no times, and
 * modes that a checkout's umask plays no part in. It is what a lock pins and what a rebuilder gets.
 * @module
 */
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { parseUtf8 } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { writeTar, type TarInput } from "./tar-write.ts";

/** Far above any root file system that people keep beside a recipe. */
const MAX_ENTRIES = 500_000;
const MAX_PATH = 4096;
const SPECIAL_BITS = 0o7000;
const OWNER_EXECUTES = 0o100;

/** The tar of everything below `folder`; throws {@link BuildError} BP-ENCLAVE-001 for what cannot be in it. */
export async function* folderTar(folder: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const entries = await listFolder(folder, signal);
  yield* writeTar(entries, signal);
}

async function listFolder(folder: string, signal: AbortSignal | undefined): Promise<TarInput[]> {
  const entries: TarInput[] = [];
  const pending = [""];
  for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
    signal?.throwIfAborted();
    for (const bytes of await readdir(join(folder, above), { encoding: "buffer" })) {
      const name = nameOf(bytes, join(folder, above));
      const entry = await readEntry(folder, above === "" ? name : `${above}/${name}`);
      entries.push(entry);
      if (entry.content.type === "directory") pending.push(entry.name);
      if (entries.length > MAX_ENTRIES) throw refused(folder, `has more than ${MAX_ENTRIES} entries`);
    }
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf(bytes: Uint8Array, folder: string): string {
  try {
    return parseUtf8(bytes, "name");
  } catch {
    throw refused(folder, `holds a name that is not UTF-8: ${JSON.stringify(Buffer.from(bytes).toString())}`);
  }
}

async function readEntry(folder: string, name: string): Promise<TarInput> {
  const path = join(folder, name);
  if (name.length > MAX_PATH) throw refused(path.slice(0, 200), "has a path that is too long");
  const found = await lstat(path);
  const special = found.mode & SPECIAL_BITS;
  if (found.isDirectory()) return { name, mode: special | 0o755, content: { type: "directory" } };
  if (found.isSymbolicLink())
    return { name, mode: 0o777, content: { type: "symlink", target: await linkTarget(path) } };
  if (!found.isFile()) throw refused(path, "is neither a file, a folder nor a symbolic link");
  // What git keeps of a mode; a file that only its owner may read would otherwise depend on who checked it out.
  const mode = special | ((found.mode & OWNER_EXECUTES) === 0 ? 0o644 : 0o755);
  return { name, mode, content: { type: "file", path, size: found.size } };
}

async function linkTarget(path: string): Promise<string> {
  return nameOf(await readlink(path, { encoding: "buffer" }), path);
}

function refused(file: string, why: string): BuildError {
  return new BuildError("BP-ENCLAVE-001", `${file}: ${why}`, {
    file,
    hint: "leave it out, or make an image of the folder and name that with `image`",
  });
}
