/**
 * From steps to a launch digest: page by page on SNP, one SHA-256 over the bytes on SEV and SEV-ES.
 * @module
 */
import { sha256, startHash } from "@bootproof/bytes";
import type { IgvmDirective } from "@bootproof/ovmf/igvm";
import type { EventSource } from "../event.ts";
import type { Registers } from "../replay.ts";
import { extendSevLaunchDigest, SEV_LAUNCH_DIGEST, SEV_START, type SevEvent } from "../sev/sev-event.ts";
import {
  extendLaunchDigest,
  extendPage,
  NO_CONTENTS,
  PAGE_SIZE,
  type PageEvent,
  START,
} from "../snp/page-info.ts";
import { hashPages, type PageRun, runEvents } from "../snp/page-run.ts";
import { headerLabel, type IgvmGuest } from "./igvm-guest.ts";
import type { Processors } from "./igvm-processors.ts";
import { type IgvmStep, igvmSteps, stepLabel } from "./igvm-steps.ts";
import type { IgvmReading } from "./readings.ts";

const DIGEST = 48;
const LARGE_PAGES = 512;
const ZERO_PAGE = new Uint8Array(PAGE_SIZE);
/** Read-only: shared by every 2 MiB page without data. */
const ZERO_PAGES: Uint8Array = hashPages(new Uint8Array(LARGE_PAGES * PAGE_SIZE));
/** Hashing a page costs more than everything else, and every reading hashes the same pages. */
const pageHashes = new WeakMap<IgvmDirective, Uint8Array>();

/** What a launch extends its register by: a page on SNP, bytes on SEV and SEV-ES. */
export type IgvmEvent = PageEvent | SevEvent;

/** The launch digest before anything. */
export const igvmStart = ({ platform }: IgvmGuest): Registers => (platform === "snp" ? START : SEV_START);

/** The launch digest after one event of its platform. */
export const extendIgvm = (current: Uint8Array, event: IgvmEvent): Uint8Array =>
  "bytes" in event ? extendSevLaunchDigest(current, event) : extendLaunchDigest(current, event);

/** Every event of a launch, in order. */
export function* igvmEvents(
  guest: IgvmGuest,
  reading: IgvmReading,
  processors: Processors,
): Generator<IgvmEvent> {
  if (guest.platform === "snp") yield* runEvents(snpRuns(guest, reading, processors));
  else
    for (const step of igvmSteps(guest, reading, processors))
      for (const bytes of sevBytes(reading, step)) yield sevEvent(step, bytes);
}

/** The launch digest of a reading. */
export function igvmDigest(guest: IgvmGuest, reading: IgvmReading, processors: Processors): Uint8Array {
  if (guest.platform === "snp") return snpDigest(igvmSteps(guest, reading, processors));
  const hash = startHash("sha256");
  for (const step of igvmSteps(guest, reading, processors))
    for (const bytes of sevBytes(reading, step)) hash.update(bytes);
  return hash.digest();
}

function* snpRuns(guest: IgvmGuest, reading: IgvmReading, processors: Processors): Generator<PageRun> {
  for (const step of igvmSteps(guest, reading, processors)) yield snpRun(step);
}

function snpRun(step: IgvmStep): PageRun {
  const { type, guestAddress, pages } = step;
  return {
    type,
    guestAddress,
    pages,
    contents: hashed(step),
    label: stepLabel(step),
    source: sourceOf(step),
    advances: false,
  };
}

function sevEvent(step: IgvmStep, bytes: Uint8Array): SevEvent {
  return {
    register: SEV_LAUNCH_DIGEST,
    digest: sha256(bytes),
    type: step.type === "VMSA" ? "LAUNCH_UPDATE_VMSA" : "LAUNCH_UPDATE_DATA",
    label: stepLabel(step),
    source: sourceOf(step),
    guestAddress: step.guestAddress,
    bytes,
  };
}

function sourceOf(step: IgvmStep): EventSource {
  const { fileOffset, header } = step;
  if (header === undefined) return { artifact: "vmm", section: "VMSA" };
  const section = headerLabel(header);
  return fileOffset === undefined
    ? { artifact: "firmware", section }
    : { artifact: "firmware", section, offset: fileOffset, length: PAGE_SIZE };
}

/** CONTENTS of each page of a step, or undefined where contents are not hashed. */
function hashed({ header, type, bytes, pages }: IgvmStep): Uint8Array | undefined {
  if (type !== "NORMAL" && type !== "VMSA") return undefined;
  // A VMSA that KVM builds is not the header's own page.
  const cache = header?.kind === "PAGE_DATA" && type === "NORMAL" ? header : undefined;
  const known = cache && pageHashes.get(cache);
  if (known?.length === pages * DIGEST) return known;
  const digests =
    bytes.length === 0 ? ZERO_PAGES.subarray(0, pages * DIGEST) : withZeroPages(hashPages(bytes), pages);
  if (cache !== undefined && bytes.length > 0) pageHashes.set(cache, digests);
  return digests;
}

function withZeroPages(first: Uint8Array, pages: number): Uint8Array {
  if (pages === 1) return first;
  const digests = new Uint8Array(pages * DIGEST);
  digests.set(first);
  digests.set(ZERO_PAGES.subarray(0, (pages - 1) * DIGEST), DIGEST);
  return digests;
}

/** Folded without an object a page: a file has 100,000. */
function snpDigest(steps: Iterable<IgvmStep>): Uint8Array {
  let digest = START.launchDigest;
  for (const step of steps) {
    const hashes = hashed(step);
    let address = step.guestAddress;
    for (let page = 0; page < step.pages; page++, address += BigInt(PAGE_SIZE)) {
      const contents = hashes?.subarray(page * DIGEST, (page + 1) * DIGEST) ?? NO_CONTENTS;
      digest = extendPage(digest, step.type, contents, address);
    }
  }
  return digest;
}

/** The bytes that SEV and SEV-ES hash of a step. */
function* sevBytes(reading: IgvmReading, step: IgvmStep): Generator<Uint8Array> {
  const { type, bytes, pages } = step;
  if (type === "UNMEASURED" && reading.sevUnmeasuredPages === "skipped") return;
  if (bytes.length > 0) yield bytes;
  if (reading.sevEmptyPages === "nothing") return;
  for (let page = bytes.length > 0 ? 1 : 0; page < pages; page++) yield ZERO_PAGE;
}
