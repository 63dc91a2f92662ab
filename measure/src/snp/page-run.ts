/**
 * Consecutive pages of one type and origin: what launches are made of. A digest is folded over runs without an object
 * a page; events are made from them when someone looks.
 * @module
 */
import { hashInto, type Sha384 } from "@bootproof/bytes";
import type { EventSource } from "../event.ts";
import {
  extendPages,
  LAUNCH_DIGEST,
  NO_CONTENTS,
  PAGE_SIZE,
  type PageEvent,
  type PageType,
} from "./page-info.ts";

const DIGEST = 48;

/** Pages at ascending guest addresses. */
export interface PageRun {
  readonly type: PageType;
  readonly guestAddress: bigint;
  readonly pages: number;
  /** CONTENTS of each page, 48 bytes each; undefined where contents are not hashed. */
  readonly contents: Uint8Array | undefined;
  readonly label: string;
  /** Of the first page; with `offset` as the page's own, later pages advance in it. */
  readonly source: EventSource;
  readonly advances: boolean;
}

/** SHA-384 of each page of `bytes`, 48 bytes a page; the last page is padded with zeros. */
export function hashPages(bytes: Uint8Array): Uint8Array {
  const pages = Math.ceil(bytes.length / PAGE_SIZE);
  const contents = new Uint8Array(pages * DIGEST);
  const hashPage = hashInto("sha384", contents);
  for (let page = 0; page < pages; page++) {
    const start = page * PAGE_SIZE;
    hashPage(wholePage(bytes.subarray(start, start + PAGE_SIZE)), page * DIGEST);
  }
  return contents;
}

/** A run of NORMAL pages with these bytes. */
export function normalRun(
  bytes: Uint8Array,
  guestAddress: bigint,
  label: string,
  artifact: EventSource["artifact"],
): PageRun {
  return {
    type: "NORMAL",
    guestAddress,
    pages: Math.ceil(bytes.length / PAGE_SIZE),
    contents: hashPages(bytes),
    label,
    source: { artifact, offset: 0, length: PAGE_SIZE },
    advances: true,
  };
}

/** The launch digest after these runs. */
export function extendRuns(current: Sha384, runs: Iterable<PageRun>): Sha384 {
  let digest = current;
  for (const { type, contents, guestAddress, pages } of runs)
    digest = extendPages(digest, type, contents, guestAddress, pages);
  return digest;
}

/** The runs page by page. */
export function* runEvents(runs: Iterable<PageRun>): Generator<PageEvent> {
  for (const run of runs)
    for (let page = 0; page < run.pages; page++)
      yield {
        register: LAUNCH_DIGEST,
        digest: contentsOf(run, page),
        type: run.type,
        label: run.label,
        source: run.advances
          ? { ...run.source, offset: (run.source.offset ?? 0) + page * PAGE_SIZE }
          : run.source,
        guestAddress: run.guestAddress + BigInt(page * PAGE_SIZE),
      };
}

const contentsOf = ({ contents }: PageRun, page: number): Uint8Array =>
  contents === undefined ? NO_CONTENTS : contents.subarray(page * DIGEST, (page + 1) * DIGEST);

function wholePage(bytes: Uint8Array): Uint8Array {
  if (bytes.length === PAGE_SIZE) return bytes;
  const page = new Uint8Array(PAGE_SIZE);
  page.set(bytes);
  return page;
}
