/**
 * What a reading measures of an IGVM file, step by step and in order, before any platform hashes it.
 * @module
 */
import type { IgvmDirective, IgvmPageData, IgvmParameterInsert, IgvmVpContext } from "@bootproof/ovmf/igvm";
import { ParseError } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { PAGE_SIZE, type PageType } from "../snp/page-info.ts";
import { counts, guestPolicyOf, headerLabel, type IgvmGuest } from "./igvm-guest.ts";
import { type Processors, processorSteps } from "./igvm-processors.ts";
import type { IgvmReading } from "./readings.ts";

/** 1 GiB; coconut-svsm's files have about 10,000 pages. */
const MAX_PAGES = 262_144;

/** Consecutive pages from one directive. */
export interface IgvmStep {
  readonly type: PageType;
  readonly guestAddress: bigint;
  readonly pages: number;
  /** What the first pages hold; the others are zero. */
  readonly bytes: Uint8Array;
  /** Offset of `bytes` in the file, or undefined when they are not from there. */
  readonly fileOffset: number | undefined;
  /** The directive; undefined for a processor that no directive describes. */
  readonly header: IgvmDirective | undefined;
  readonly vcpu: number | undefined;
}

/** The steps of a reading; throws {@link MeasureError} where the tool gives up, ParseError above our own limit. */
export function* igvmSteps(
  guest: IgvmGuest,
  reading: IgvmReading,
  processors: Processors,
): Generator<IgvmStep> {
  if (reading.needsPolicy && guestPolicyOf(guest) === undefined)
    throw new MeasureError(
      "BP-IGVM-005",
      `${reading.name} needs a guest policy in the file, and there is none`,
    );
  let pages = 0;
  for (const step of orderedSteps(guest, reading, processors)) {
    pages += step.pages;
    if (pages > MAX_PAGES)
      throw new ParseError("TOO_LARGE", "guest memory of the IGVM file", {
        expected: `at most ${MAX_PAGES} pages`,
        found: "more",
      });
    yield step;
  }
}

function* orderedSteps(guest: IgvmGuest, reading: IgvmReading, processors: Processors): Generator<IgvmStep> {
  const waiting: IgvmStep[] = [];
  for (const [place, header] of guest.file.directives.entries()) {
    const step = directiveStep(guest, reading, header);
    if (step === undefined) continue;
    if (!reading.pagesWait) yield step;
    else if (header.kind !== "PAGE_DATA") yield step;
    else {
      if (!continuesPages(waiting.at(-1), guest.file.directives[place - 1], header)) yield* waiting.splice(0);
      waiting.push(step);
    }
  }
  yield* waiting;
  if (reading.contexts === "each processor, last") yield* processorSteps(guest, processors);
}

/** QEMU's qigvm_process_mem_page and qigvm_page_attrs_equal. */
function continuesPages(
  last: IgvmStep | undefined,
  before: IgvmDirective | undefined,
  next: IgvmPageData,
): boolean {
  return (
    last !== undefined &&
    before?.kind === "PAGE_DATA" &&
    last.header === before &&
    before.guestAddress + BigInt(before.size) === next.guestAddress &&
    before.size === next.size &&
    before.unmeasured === next.unmeasured &&
    before.shared === next.shared &&
    before.dataType === next.dataType &&
    before.mask === next.mask &&
    (before.data.length === 0) === (next.data.length === 0)
  );
}

/** What a reading measures of one directive, in whatever order. */
export function directiveStep(
  guest: IgvmGuest,
  reading: IgvmReading,
  header: IgvmDirective,
): IgvmStep | undefined {
  const counted = counts(guest, header, reading.masks === "all bits");
  if (header.kind === "VP_CONTEXT") {
    if (reading.contexts !== "in place") return undefined;
    return counted || reading.contextMasks === "ignored" ? contextStep(header) : undefined;
  }
  if (!counted) return undefined;
  if (header.kind === "PAGE_DATA") return pageStep(reading, header);
  return header.kind === "PARAMETER_INSERT" ? insertStep(reading, header) : undefined;
}

function pageStep(reading: IgvmReading, header: IgvmPageData): IgvmStep | undefined {
  const { guestAddress, size, data, fileOffset, shared } = header;
  if (shared && reading.sharedPages === "skipped") return undefined;
  const large = size > PAGE_SIZE;
  if (large && data.length > 0 && reading.largePageData === "refused")
    throw new MeasureError("BP-IGVM-005", `${reading.name} gives up on 2 MiB pages with data`, {
      found: headerLabel(header),
    });
  return {
    type: pageType(reading, header),
    guestAddress,
    pages: large ? reading.largePage : 1,
    // The library behind every tool reads 4 KiB of data, also for 2 MiB pages.
    bytes: data.subarray(0, PAGE_SIZE),
    fileOffset: data.length === 0 ? undefined : fileOffset,
    header,
    vcpu: undefined,
  };
}

function pageType(reading: IgvmReading, { dataType, unmeasured, data }: IgvmPageData): PageType {
  if (dataType === "SECRETS") return "SECRETS";
  if (dataType !== "NORMAL") return "CPUID";
  if (unmeasured) return "UNMEASURED";
  return data.length === 0 ? reading.emptyPages : "NORMAL";
}

function insertStep(reading: IgvmReading, header: IgvmParameterInsert): IgvmStep {
  return {
    type: "UNMEASURED",
    guestAddress: header.guestAddress,
    pages: reading.insertedArea === "every page" ? header.size / PAGE_SIZE : 1,
    bytes: NOTHING,
    fileOffset: undefined,
    header,
    vcpu: undefined,
  };
}

function contextStep(header: IgvmVpContext): IgvmStep | undefined {
  // The library makes a VMSA of contexts of SNP and SEV-ES only; other contexts are measured by nobody.
  if (header.platform !== "snp" && header.platform !== "sev-es") return undefined;
  return {
    type: "VMSA",
    guestAddress: header.guestAddress,
    pages: 1,
    bytes: header.data,
    fileOffset: header.fileOffset,
    header,
    vcpu: header.vpIndex,
  };
}

/** What events and differences call a step. */
export function stepLabel({ header, vcpu, type }: IgvmStep): string {
  if (header === undefined) return `vCPU ${vcpu ?? 0} in reset state`;
  return type === "VMSA" ? `vCPU ${vcpu ?? 0}, ${headerLabel(header)}` : headerLabel(header);
}

const NOTHING = new Uint8Array();
