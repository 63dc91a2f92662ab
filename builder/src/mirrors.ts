/**
 * Where inputs may be had, in the order in which they are asked: vendored folders and URLs, mirrors
 * named on the command line, in the environment, in this machine's apt configuration.
 * @module
 */
import { readAptMirrors } from "./apt-sources.ts";

/** A place that may have an input. */
export type Mirror =
  /** A vendored folder: pool paths, plain names, or `sha256/<hex>` in it or in `materials/` under it. */
  | { readonly kind: "folder"; readonly path: string }
  /** The same, over http(s). */
  | { readonly kind: "vendored"; readonly url: string }
  /** A mirror of the Debian archive. */
  | { readonly kind: "archive"; readonly url: string };

/** What the user says about mirrors. */
export interface MirrorOptions {
  /** `--from`: folders or URLs. */
  readonly from?: readonly string[] | undefined;
  /** `--mirror`: base URLs of archives. */
  readonly mirrors?: readonly string[] | undefined;
  /** The environment; BOOTPROOF_DEBIAN_MIRROR may hold several URLs between spaces. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where apt keeps its configuration; null to leave it aside. */
  readonly aptRoot?: string | null | undefined;
}

/** The environment variable that names mirrors of the archive. */
export const MIRROR_VARIABLE = "BOOTPROOF_DEBIAN_MIRROR";

/** Every mirror, in the order in which it is asked, none twice. */
export async function findMirrors(options: MirrorOptions): Promise<readonly Mirror[]> {
  const vendored = (options.from ?? []).map((place): Mirror =>
    isUrl(place) ? { kind: "vendored", url: trimmed(place) } : { kind: "folder", path: place },
  );
  const named = (options.env?.[MIRROR_VARIABLE] ?? "").split(/\s+/).filter((url) => url !== "");
  const apt = options.aptRoot === null ? [] : await readAptMirrors(options.aptRoot);
  const urls = [...(options.mirrors ?? []), ...named, ...apt].map(trimmed);
  return [...vendored, ...[...new Set(urls)].map((url): Mirror => ({ kind: "archive", url }))];
}

const isUrl = (place: string): boolean => /^https?:\/\//.test(place);
const trimmed = (url: string): string => url.replace(/\/+$/, "");

/** A mirror as messages name it. */
export const mirrorName = (mirror: Mirror): string => (mirror.kind === "folder" ? mirror.path : mirror.url);
