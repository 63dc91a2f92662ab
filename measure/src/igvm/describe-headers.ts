/**
 * Two IGVM files, header by header: what one has and the other lacks, what moved, what changed its kind or contents, and
 * which of that the launch digest sees.
 * @module
 */
import { ParseError, sha384, utf8 } from "@bootproof/bytes";
import {
  type IgvmDirective,
  type IgvmFile,
  igvmHeaderName,
  type IgvmInitialization,
  parseIgvm,
} from "@bootproof/ovmf/igvm";
import type { MeasuredEvent } from "../event.ts";
import { differences } from "../explain/byte-differences.ts";
import { type ChangeGroup, eventOf } from "../explain/change-groups.ts";
import { type ChangeKind, compareEvents, type EventChange } from "../explain/compare-events.ts";
import { indexOf } from "../explain/describe-events.ts";
import type { Finding } from "../explain/explanation.ts";
import type { Side } from "../explain/side.ts";
import { compareVmsas, formatFieldDifference } from "../snp/describe-vmsa.ts";
import { LAUNCH_DIGEST } from "../snp/page-info.ts";
import { headerLabel } from "./igvm-guest.ts";

/** Headers told one by one; a rebuilt file has thousands of other pages. */
const MAX_FINDINGS = 64;

/** The parsed file, or undefined when it is not at hand or cannot be read. */
export function openFile(bytes: Uint8Array | undefined): IgvmFile | undefined {
  if (bytes === undefined) return undefined;
  try {
    return parseIgvm(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

type Header = IgvmDirective | IgvmInitialization;

/** A header made comparable: its kind is the type, its fields or data are the contents. */
interface HeaderEvent extends MeasuredEvent {
  readonly header: Header;
}

/** Every difference of two IGVM files in words, in file order; nothing when a file is not at hand. */
export function describeHeaders(a: Side, b: Side, groups: readonly ChangeGroup[] | undefined): Finding[] {
  const [one, other] = [openFile(a.artifacts["igvm"]), openFile(b.artifacts["igvm"])];
  if (one === undefined || other === undefined) return [];
  const changes = compareEvents(headerEvents(one), headerEvents(other));
  const seesVmsas = groups?.some(({ changes: list }) => list.some((it) => isVmsa(eventOf(it)))) ?? true;
  const masks = { a: maskOf(one, a.platform), b: maskOf(other, b.platform) };
  return changes.slice(0, MAX_FINDINGS).map((change) => {
    const finding = describeChange(change, masks, seesVmsas);
    if (finding.register === undefined || groups === undefined) return finding;
    const group = groups.find(({ changes: list }) => list.some((it) => isOf(it, change)));
    return { ...finding, ...(group && { eventIndex: indexOf(group) }) };
  });
}

const isVmsa = ({ type }: MeasuredEvent): boolean => type === "VMSA" || type === "LAUNCH_UPDATE_VMSA";
const maskOf = (file: IgvmFile, platform: string): number =>
  file.platforms.find((served) => served.platform === platform)?.mask ?? 0;

/** Whether an event's difference comes from a header's. */
function isOf(event: EventChange, header: EventChange): boolean {
  const label = (change: EventChange["a"]): string | undefined =>
    change === undefined ? undefined : headerLabel((change.event as HeaderEvent).header);
  const [one, other] = [label(header.a), label(header.b)];
  const names = ({ source, label: text }: MeasuredEvent, name: string | undefined): boolean =>
    name !== undefined && (source.section === name || text.endsWith(name));
  return (
    (event.a !== undefined && names(event.a.event, one)) ||
    (event.b !== undefined && names(event.b.event, other))
  );
}

function headerEvents({ initialization, directives }: IgvmFile): HeaderEvent[] {
  return [...initialization, ...directives].map((header) => ({
    register: LAUNCH_DIGEST,
    digest: sha384(contentsOf(header)),
    type: kindOf(header),
    label: headerLabel(header),
    // Headers without an address are told apart by what they are about.
    source: { artifact: "firmware", section: aboutOf(header) },
    ...("guestAddress" in header && { guestAddress: header.guestAddress }),
    header,
  }));
}

function contentsOf(header: Header): Uint8Array {
  if ("data" in header) return header.data;
  const fields = Object.entries(header).filter(([name]) => !PLACE.includes(name));
  return utf8(fields.map(([name, value]) => `${name}=${String(value)}`).join());
}

/** Fields that say where a header stands or that its kind says already. */
const PLACE: readonly string[] = ["index", "offset", "guestAddress", "mask"];

function kindOf(header: Header): string {
  const mask = "mask" in header ? `, mask 0x${header.mask.toString(16)}` : "";
  return `${igvmHeaderName(header)}${traitsOf(header)}${mask}`;
}

function traitsOf(header: Header): string {
  if (header.kind === "PAGE_DATA") {
    const flags = `${header.unmeasured ? ", unmeasured" : ""}${header.shared ? ", shared" : ""}`;
    const none = header.data.length === 0 ? ", no data" : "";
    return ` ${header.dataType}, ${header.size === 4096 ? "4 KiB" : "2 MiB"}${flags}${none}`;
  }
  if (header.kind === "PARAMETER_AREA" || header.kind === "PARAMETER_INSERT")
    return ` area ${header.area}, ${header.size} bytes`;
  return header.kind === "VP_CONTEXT" ? ` processor ${header.vpIndex}` : "";
}

function aboutOf(header: Header): string {
  const name = igvmHeaderName(header);
  if (header.kind === "PARAMETER_AREA" || header.kind === "PARAMETER") return `${name} ${header.area}`;
  return header.kind === "VP_CONTEXT" ? `${name} ${header.vpIndex}` : name;
}

function describeChange(
  { kind, a, b }: EventChange,
  masks: { readonly a: number; readonly b: number },
  seesVmsas: boolean,
): Finding {
  const [one, other] = [a, b].map((placed) => (placed?.event as HeaderEvent | undefined)?.header);
  const header = one ?? other;
  if (header === undefined) throw new RangeError("a change without a header");
  const counts = countsFor(one, masks.a) || countsFor(other, masks.b);
  const seen = counts && isSeen(kind, header, one, other, seesVmsas);
  return {
    subject: "igvm",
    what: `${sentence(kind, headerLabel(header))}${placeOf(header)}`,
    ...valuesOf(kind, a, b),
    details: [
      ...detailsOf(kind, one, other),
      ...(counts ? [] : ["the header's mask leaves out the platform"]),
    ],
    ...(seen && { register: LAUNCH_DIGEST }),
  };
}

const countsFor = (header: Header | undefined, mask: number): boolean =>
  header !== undefined && (!("mask" in header) || (header.mask & mask) !== 0);

function isSeen(
  kind: ChangeKind,
  header: Header,
  one: Header | undefined,
  other: Header | undefined,
  seesVmsas: boolean,
): boolean {
  if (header.kind === "PAGE_DATA") {
    const hashed = [one, other].some(
      (page) => page?.kind === "PAGE_DATA" && !page.unmeasured && page.dataType === "NORMAL",
    );
    return kind !== "contents" || hashed;
  }
  // The size of an area is the size of what is inserted.
  if (header.kind === "PARAMETER_AREA") return kind === "type";
  if (header.kind === "VP_CONTEXT") return seesVmsas;
  return header.kind === "PARAMETER_INSERT";
}

function sentence(kind: ChangeKind, name: string): string {
  switch (kind) {
    case "inserted":
      return `only B has ${name}`;
    case "removed":
      return `only A has ${name}`;
    case "reordered":
      return `${name} stands at another position`;
    case "type":
      return `${name} is of another kind`;
    case "address":
      return `${name} has another guest address`;
    case "contents":
      return `${name} has other contents`;
  }
}

const placeOf = (header: Header): string =>
  "guestAddress" in header ? `, guest address 0x${header.guestAddress.toString(16)}` : "";

function valuesOf(kind: ChangeKind, a: EventChange["a"], b: EventChange["b"]): { a?: string; b?: string } {
  if (a === undefined || b === undefined) return {};
  const value = ({ event, index }: NonNullable<EventChange["a"]>): string | undefined => {
    const { header } = event as HeaderEvent;
    if (kind === "address") return `0x${(event.guestAddress ?? 0n).toString(16)}`;
    if (kind === "type") return event.type;
    if (kind === "reordered") return `position ${index}`;
    return header.kind === "GUEST_POLICY" ? `0x${header.policy.toString(16)}` : undefined;
  };
  const [one, other] = [value(a), value(b)];
  return { ...(one !== undefined && { a: one }), ...(other !== undefined && { b: other }) };
}

function detailsOf(kind: ChangeKind, a: Header | undefined, b: Header | undefined): string[] {
  if (a === undefined || b === undefined || kind === "reordered") return [];
  const places = `header at file offset 0x${a.offset.toString(16)} of A and 0x${b.offset.toString(16)} of B`;
  if (!("data" in a) || !("data" in b)) return [places];
  if (a.kind === "VP_CONTEXT" && b.kind === "VP_CONTEXT")
    return [...compareVmsas(a.data, b.data).map(formatFieldDifference), places];
  const found = differences(a.data, b.data);
  if (found === undefined)
    return a.data.length === b.data.length
      ? [places]
      : [`${a.data.length} and ${b.data.length} bytes`, places];
  const bytes = [a.data, b.data].map((data) => `0x${(data[found.first] ?? 0).toString(16).padStart(2, "0")}`);
  return [
    `first differing byte: 0x${found.first.toString(16)} of the page, ${bytes.join(" and ")}; ${found.count} differ in all`,
    places,
  ];
}
