/**
 * A Debian archive as resolving sees it: each suite's signed Release, and the indexes it names by hash.
 * @module
 */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ParseError, parseUtf8 } from "@bootproof/bytes";
import { decompress } from "./archive.ts";
import { BuildError } from "./build-error.ts";
import { fetchBlob, type InputStore } from "./fetch-blob.ts";
import { fetchText } from "./fetch-text.ts";
import type { LockedRelease, LockedSource } from "./lock.ts";
import { mirrorName, type Mirror } from "./mirrors.ts";
import { readPackageIndex, type PackageIndex } from "./package-index.ts";
import { parseRelease, parseReleaseDate, type Release } from "./release.ts";
import { openClearSigned } from "./release-signature.ts";
import type { DebianSuite } from "./recipe.ts";
import { findSources, type SourceRequest } from "./source-index.ts";

/** What an archive is read with. */
export interface ArchiveOptions {
  readonly store: InputStore;
  readonly mirrors: readonly Mirror[];
  /** Armored public keys; a Release must be signed by one. */
  readonly keys: readonly string[];
  /** The time at which signatures and dates must hold. */
  readonly at: Date;
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface SignedRelease {
  readonly locked: LockedRelease;
  readonly release: Release;
}

const PACKAGES = "main/binary-amd64/Packages.xz";
const SOURCES = "main/source/Sources.xz";
// Twice what trixie's indexes come to, rounded up; more is not an index but an attack on our memory.
const MAX_INDEX = 128 * 2 ** 20;
const MAX_UNPACKED = 2 ** 30;

/** Suites of one archive; each index is read once. */
export class DebianArchive {
  readonly #options: ArchiveOptions;
  readonly #releases = new Map<DebianSuite, Promise<SignedRelease>>();
  readonly #packages = new Map<DebianSuite, Promise<PackageIndex>>();

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** The suite's Release as a lock records it; throws {@link BuildError} BP-RESOLVE-001 or 005. */
  async release(suite: DebianSuite): Promise<LockedRelease> {
    return (await this.#release(suite)).locked;
  }

  /** The suite's packages; throws {@link BuildError} BP-RESOLVE-001, 002, 005 or 006. */
  packages(suite: DebianSuite): Promise<PackageIndex> {
    return memo(this.#packages, suite, () => this.#index(suite, PACKAGES, readPackageIndex));
  }

  /** The files of source packages; throws {@link BuildError} BP-RESOLVE-001, 002, 004, 005 or 006. */
  sources(suite: DebianSuite, requests: readonly SourceRequest[]): Promise<readonly LockedSource[]> {
    return this.#index(suite, SOURCES, (pieces) => findSources(pieces, requests, suite));
  }

  #release(suite: DebianSuite): Promise<SignedRelease> {
    return memo(this.#releases, suite, () => this.#findRelease(suite));
  }

  /** The first mirror's Release that holds and has not expired; else the newest that has. */
  async #findRelease(suite: DebianSuite): Promise<SignedRelease> {
    const { mirrors, offline } = this.#options;
    const answers: string[] = [];
    const expired: SignedRelease[] = [];
    let refused = false;
    for (const mirror of mirrors) {
      if (offline === true && mirror.kind !== "folder") continue;
      try {
        const found = await this.#readRelease(suite, mirror);
        if (!found.locked.expired) return found;
        expired.push(found);
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        refused ||= error.code !== "BP-RESOLVE-005";
        answers.push(error.found === undefined ? error.message : `${error.message}: ${error.found}`);
      }
    }
    const newest = expired.sort((a, b) => dateOf(b) - dateOf(a))[0];
    if (newest !== undefined) return newest;
    const what = refused
      ? "no mirror has a Release of it that the archive signed"
      : offline === true
        ? "its metadata is read from mirrors, and the network may not be used"
        : "no mirror could be reached";
    throw new BuildError(
      refused ? "BP-RESOLVE-001" : "BP-RESOLVE-005",
      [`suite ${suite}: ${what}`, ...answers.map((answer) => `  ${answer}`)].join("\n"),
      {
        issues: answers,
        hint:
          offline === true
            ? "run it without --offline, or name a folder that mirrors the archive with --from DIR"
            : "name a mirror of the Debian archive with --mirror URL or BOOTPROOF_DEBIAN_MIRROR",
      },
    );
  }

  async #readRelease(suite: DebianSuite, mirror: Mirror): Promise<SignedRelease> {
    const path = `dists/${suite}/InRelease`;
    const name = `${mirrorName(mirror)}/${path}`;
    const signed =
      mirror.kind === "folder"
        ? await readLocal(join(mirror.path, path))
        : await fetchText(name, this.#options.signal);
    const { text, signedBy } = await openClearSigned(signed, this.#options.keys, this.#options.at, name);
    const release = await inWords(name, () => parseRelease(text));
    // Signed, but for another suite: a mirror could answer with an old or other one.
    if (release.codename !== suite)
      throw new BuildError("BP-RESOLVE-001", `${name}: is signed, but of another suite`, {
        file: name,
        expected: suite,
        found: release.codename,
      });
    const { date, validUntil } = release;
    const until =
      validUntil === undefined ? Number.POSITIVE_INFINITY : parseReleaseDate(validUntil, "Valid-Until");
    const expired = until < this.#options.at.getTime();
    return { release, locked: { suite, date, validUntil, expired, signedBy } };
  }

  async #index<T>(
    suite: DebianSuite,
    path: string,
    read: (pieces: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const { store, mirrors, offline, signal } = this.#options;
    const { release } = await this.#release(suite);
    const entry = release.entries.get(path);
    const name = `dists/${suite}/${path}`;
    if (entry === undefined || entry.size > MAX_INDEX)
      throw new BuildError(
        "BP-RESOLVE-006",
        `${name}: the Release of ${suite} does not list it, or with an absurd size`,
        { file: name },
      );
    // By hash first: the plain name may already be the next state's index.
    const byHash = `${name.slice(0, name.lastIndexOf("/"))}/by-hash/SHA256/${entry.sha256}`;
    const file = {
      name: `${suite}-${path.replaceAll("/", "-")}`,
      size: entry.size,
      sha256: entry.sha256,
      paths: [byHash, name],
    };
    await fetchBlob(store, file, mirrors, { offline, signal }).catch((error: unknown) => {
      throw asResolveError(error);
    });
    return inWords(name, () =>
      read(decompress(createReadStream(store.blobs.path(entry.sha256)), "xz", MAX_UNPACKED)),
    );
  }
}

const dateOf = ({ locked }: SignedRelease): number => parseReleaseDate(locked.date, "Date");

function memo<K, V>(cache: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

async function readLocal(path: string): Promise<string> {
  const bytes = await readFile(path).catch(() => {
    throw new BuildError("BP-RESOLVE-005", `${path}: is not there`, { file: path });
  });
  return inWords(path, () => Promise.resolve(parseUtf8(bytes, path)));
}

/** Malformed metadata as this package's error, with the file it is in. */
async function inWords<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new BuildError("BP-RESOLVE-006", `${file}: ${error.message}`, { file, cause: error });
  }
}

function asResolveError(error: unknown): unknown {
  if (!(error instanceof BuildError)) return error;
  const code =
    error.code === "BP-INPUT-002"
      ? "BP-RESOLVE-002"
      : error.code === "BP-INPUT-001" || error.code === "BP-INPUT-008"
        ? "BP-RESOLVE-005"
        : undefined;
  if (code === undefined) return error;
  const { message, expected, found, issues, hint } = error;
  return new BuildError(code, message.replace("the ones the lock names", "the ones Release names"), {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ...(hint === undefined ? {} : { hint }),
    issues,
    cause: error,
  });
}
