/**
 * The keys under which a monitor finds earlier entries again. They come from an entry's bytes alone, so an index of
 * them can be made again from the log.
 * @module
 */
import { formatCanonicalJson, formatHex, sha256, utf8, type JsonValue } from "@bootproof/bytes";
import { leafHash } from "@bootproof/log";
import { releaseArtifacts, type BootMeasurement } from "@bootproof/statement";
import { claimedSigners } from "../read-entry.ts";
import { registerValues } from "./register-values.ts";
import { isRelease, releaseOf, type WatchedEntry, type WatchedRelease } from "./watched-entry.ts";

/** Bytes of a key: finding an entry under a key is a hint, which reading the entry confirms. */
const KEY_LENGTH = 16;

const key = (...parts: readonly string[]): Uint8Array =>
  sha256(
    utf8(
      parts
        .map((part) => `${part.length}:${part}`)
        .join("")
        .toWellFormed(),
    ),
  ).slice(0, KEY_LENGTH);

/** Releases of a name and version. */
export const releaseKey = ({ name, version }: BootMeasurement["release"]): Uint8Array =>
  key("release", name, version);

/** Releases that claim a register value. */
export const registerKey = (value: string): Uint8Array => key("register", value);

/** The release with a leaf hash (lower-case hex). */
export const leafKey = (hash: string): Uint8Array => key("leaf", hash);

/** Rebuilds of the release with a leaf hash. */
export const rebuildKey = (hash: string): Uint8Array => key("rebuild", hash);

/** Rebuilds of the release with a leaf hash that claim to be signed by a key ID. */
export const rebuildByKey = (hash: string, keyid: string): Uint8Array => key("rebuild by", hash, keyid);

/** Releases that claim exactly the same. */
export const claimKey = (release: WatchedRelease): Uint8Array => key("claim", claimDigest(release));

/** All keys of an entry. */
export function entryKeys(entry: WatchedEntry): Uint8Array[] {
  if (isRelease(entry)) {
    const { release, measurements } = releaseOf(entry).predicate;
    const telling = registerValues(measurements).values.filter((claimed) => claimed.telling);
    return [
      releaseKey(release),
      claimKey(entry),
      leafKey(formatHex(leafHash(entry.entry))),
      ...[...new Set(telling.map(({ value }) => value))].map(registerKey),
    ];
  }
  if (entry.statement?.kind !== "rebuild") return [];
  const { of } = entry.statement.statement.predicate;
  const signers = claimedSigners(entry.statement);
  return [rebuildKey(of.leafHash), ...signers.map((keyid) => rebuildByKey(of.leafHash, keyid))];
}

/** Stands for name, version, artifacts and measurements. */
function claimDigest(entry: WatchedRelease): string {
  const statement = releaseOf(entry);
  const { release, measurements } = statement.predicate;
  const claim = { release, artifacts: releaseArtifacts(statement), measurements };
  return formatHex(sha256(utf8(formatCanonicalJson(claim as unknown as JsonValue))));
}
