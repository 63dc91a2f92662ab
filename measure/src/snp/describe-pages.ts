/**
 * Pages of two traces, for what their inputs are not at hand: firmware pages, metadata sections, VMSAs.
 * @module
 */
import type { ChangeGroup } from "../explain/change-groups.ts";
import { eventOf } from "../explain/change-groups.ts";
import { describeGroup, indexOf } from "../explain/describe-events.ts";
import type { Finding } from "../explain/explanation.ts";
import type { MeasuredEvent } from "../event.ts";
import { type ComparedSection, describeSections } from "./describe-sections.ts";
import { LAUNCH_DIGEST, PAGE_SIZE } from "./page-info.ts";

const SECTION = /^SEV metadata section \d{1,4} \((.{1,40})\)$/;

/** Whether an event is a page of the firmware image itself. */
export const isImagePage = ({ source: { artifact, section } }: MeasuredEvent): boolean =>
  artifact === "firmware" && section === undefined;
/** Whether an event is a page of a metadata section. */
export const isSectionPage = ({ source: { section } }: MeasuredEvent): boolean =>
  section !== undefined && SECTION.test(section);
/** Whether an event is a page of the section that holds the kernel hashes table. */
export const isHashPage = ({ source: { section } }: MeasuredEvent): boolean =>
  section === "kernel hashes table" || SECTION.exec(section ?? "")?.[1] === "SNP_KERNEL_HASHES";
/** Whether an event is a VMSA. */
export const isVmsa = ({ type }: MeasuredEvent): boolean => type === "VMSA" || type === "LAUNCH_UPDATE_VMSA";

/** The sections that a trace shows, in descriptor order whatever the order of measurement. */
export function sectionsOf(events: readonly MeasuredEvent[]): ComparedSection[] {
  const sections = new Map<number, { type: string; guestAddress: number; size: number }>();
  for (const { source, guestAddress } of events) {
    const type = SECTION.exec(source.section ?? "")?.[1];
    if (type === undefined || source.offset === undefined || guestAddress === undefined) continue;
    const known = sections.get(source.offset);
    if (known === undefined)
      sections.set(source.offset, { type, guestAddress: Number(guestAddress), size: PAGE_SIZE });
    else known.size += PAGE_SIZE;
  }
  return [...sections]
    .sort(([one], [other]) => one - other)
    .map(([, section], index) => ({ ...section, index }));
}

/** What differs in the firmware and its sections, from traces alone. */
export function describeTraces(
  a: readonly MeasuredEvent[],
  b: readonly MeasuredEvent[],
  groups: readonly ChangeGroup[],
): Finding[] {
  const pages = groups.filter((group) => group.changes.some((change) => isImagePage(eventOf(change))));
  const sections = describeSections(sectionsOf(a), sectionsOf(b));
  const firmware = pages.map(describeImagePages);
  const causes = [...sections, ...describeReset(a, b)];
  if (causes.length === 0) return sized(a, b, firmware);
  // One page that changed and holds the descriptors says nothing more than they do.
  const holder = onlyPage(pages);
  const descriptors = a.flatMap(({ source }) => (isSection(source) ? [source.offset ?? -1] : []));
  const holds =
    holder !== undefined && (sections.length === 0 || descriptors.some((at) => inPage(holder, at)));
  const first = groups.find((group) => group.changes.some((change) => !isVmsa(eventOf(change))));
  const index = first === undefined ? undefined : indexOf(first);
  const placed = causes.map((finding) => ({
    ...finding,
    register: LAUNCH_DIGEST,
    ...(index !== undefined && holds && { eventIndex: index }),
  }));
  return sized(a, b, holds ? [...placed, ...firmware] : [...firmware, ...placed]);
}

const isSection = ({ section }: MeasuredEvent["source"]): boolean =>
  section !== undefined && SECTION.test(section);

function describeImagePages(group: ChangeGroup): Finding {
  const [change] = group.changes;
  const event = change === undefined ? undefined : eventOf(change);
  const last = group.changes.at(-1);
  if (event === undefined || last === undefined || group.kind !== "contents") return describeGroup(group);
  const { offset = 0 } = event.source;
  const { source: reach } = eventOf(last);
  const end = (reach.offset ?? 0) + (reach.length ?? PAGE_SIZE);
  const count = group.changes.length;
  return {
    ...describeGroup(group),
    subject: "firmware",
    what: `the firmware differs: ${event.type === "NORMAL" ? `${count} ${count === 1 ? "page" : "pages"} of it, ` : ""}from file offset 0x${offset.toString(16)}, guest address 0x${(event.guestAddress ?? 0n).toString(16)}, on`,
    details: [
      `between file offsets 0x${offset.toString(16)} and 0x${end.toString(16)}`,
      "with both images, explain names the bytes and the part of the image around them",
    ],
  };
}

/** Images of different sizes start at different addresses; whatever else differs comes after that. */
function sized(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[], findings: Finding[]): Finding[] {
  const [one, other] = [a.filter(isImagePage), b.filter(isImagePage)];
  const size = (pages: readonly MeasuredEvent[]): number =>
    pages.reduce((sum, { source }) => sum + (source.length ?? PAGE_SIZE), 0);
  if (size(one) === size(other)) return findings;
  const base = (pages: readonly MeasuredEvent[]): string =>
    `${size(pages)} bytes from guest address 0x${(pages[0]?.guestAddress ?? 0n).toString(16)}`;
  const changed = findings.filter(({ subject }) => subject !== "event");
  return [
    {
      subject: "firmwareSize",
      what: "the firmware images have different sizes, so they start at different guest addresses",
      a: base(one),
      b: base(other),
      details: changed.length === 0 ? ["aligned at the end of the image, all other pages are equal"] : [],
      register: LAUNCH_DIGEST,
      eventIndex: 0,
    },
    ...changed,
  ];
}

/** Only the application processors' VMSAs differ: only what the firmware names for them can. */
function describeReset(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[]): Finding[] {
  const [bsp, ap] = [0, 1].map((vcpu) => [a, b].map((events) => events.filter(isVmsa)[vcpu]));
  const same = (pair: (MeasuredEvent | undefined)[] | undefined): boolean => {
    const [one, other] = pair ?? [];
    return one !== undefined && other !== undefined && String(one.digest) === String(other.digest);
  };
  const complete = ap?.every((event) => event !== undefined) ?? false;
  if (!complete || !same(bsp) || same(ap)) return [];
  return [
    {
      subject: "resetAddress",
      what: "the AP reset address differs",
      details: [
        "the boot processor's VMSA is the same and the application processors' differ: only their CS base and RIP can",
        "the firmware names it in the SEV-ES reset block of its GUIDed table",
      ],
    },
  ];
}

function onlyPage(groups: readonly ChangeGroup[]): MeasuredEvent | undefined {
  const changes = groups.flatMap(({ changes: inGroup }) => inGroup);
  const [change] = changes;
  return changes.length === 1 && change?.kind === "contents" ? eventOf(change) : undefined;
}

const inPage = ({ source: { offset = 0 } }: MeasuredEvent, at: number): boolean =>
  offset <= at && at < offset + PAGE_SIZE;
