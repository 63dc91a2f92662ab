/**
 * Two SNP launches in words: what differs, in the order in which it is measured.
 * @module
 */
import { equalBytes, formatHex, ParseError, sha256, sha384 } from "@bootproof/bytes";
import { type ChangeGroup, eventOf } from "../explain/change-groups.ts";
import { describeGroup, indexOf } from "../explain/describe-events.ts";
import type { Finding } from "../explain/explanation.ts";
import { sameStart } from "../explain/align-starts.ts";
import type { Artifacts, Describer, Side } from "../explain/side.ts";
import type { MeasuredEvent } from "../event.ts";
import { advise } from "./advice.ts";
import type { KnownPart } from "./command-line-cause.ts";
import { BOOT_PARTS, describeBoots, type KnownBoot } from "./describe-boot.ts";
import { describeFirmwares } from "./describe-firmware.ts";
import { describeOtherFields, describeOtherFiles } from "./describe-others.ts";
import {
  describeTraces,
  isHashPage,
  isImagePage,
  isSectionPage,
  isVmsa,
  sectionsOf,
} from "./describe-pages.ts";
import { describeSections } from "./describe-sections.ts";
import { describeCounts, describeShapes, type KnownShape, readShape, vmsaOf } from "./describe-shape.ts";
import type { FirmwareReference } from "./firmware-reference.ts";
import { openFirmware } from "./firmware-source.ts";
import { identifyVmsa } from "./identify-vmsa.ts";
import { prepareMeasured } from "./launch.ts";
import { LAUNCH_DIGEST, PAGE_SIZE, START } from "./page-info.ts";
import { runEvents } from "./page-run.ts";
import { defaultProfile } from "./profiles.ts";

/** The words of guests that boot firmware images, on all of AMD's platforms. */
export const amdDescriber: Describer = {
  describe(a, b, groups) {
    const firmware = describeImages(a, b, groups);
    const shapes = describeShapes(shapeOf(a), shapeOf(b));
    const boots = describeBoots(bootOf(a), bootOf(b));
    const profile = shapes.filter(({ subject }) => subject === "profile");
    const rest = shapes.filter(({ subject }) => subject !== "profile");
    const found = [
      ...firmware,
      ...describeOtherFiles(a, b),
      ...profile,
      ...boots,
      ...rest,
      ...describeOtherFields(a, b),
    ];
    if (groups === undefined) return found.map(advise);
    const placed = found.map((finding) => placeIn(finding, groups));
    return inOrder([...placed, ...unexplained(a, b, groups, placed)]).map(advise);
  },
};

/** Two firmwares alone compare up to the VMSAs: shape and kernel are open on both sides. Takes also what cannot launch. */
export function firmwareSide(firmware: Uint8Array | FirmwareReference): Side {
  const artifacts: Artifacts = firmware instanceof Uint8Array ? { firmware } : {};
  return tolerantSide("snp", artifacts, () => {
    const { prefix, runs, start } = prepareMeasured(openFirmware({ firmware }), undefined, QEMU);
    return {
      platform: "snp",
      shape: {},
      registers: { [PREFIX]: formatHex(prefix.digest) },
      inputs: [],
      start: { [LAUNCH_DIGEST]: formatHex(start[LAUNCH_DIGEST]) },
      events: [...runEvents(runs)],
      artifacts,
    };
  });
}

const QEMU = defaultProfile("snp", "qemu");

/** The side that measuring gives, or one that says why its files cannot launch. */
export function tolerantSide(platform: string, artifacts: Artifacts, measure: () => Side): Side {
  try {
    return measure();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { platform, shape: {}, registers: {}, inputs: [], artifacts, problem: error.message };
  }
}

/** How the digest is called that a launch has whose shape is open. */
export const PREFIX = "launchDigest before the VMSAs";

function describeImages(a: Side, b: Side, groups: readonly ChangeGroup[] | undefined): readonly Finding[] {
  const [one, other] = [a.artifacts["firmware"], b.artifacts["firmware"]];
  if (one !== undefined && other !== undefined)
    return equalBytes(one, other)
      ? []
      : describeFirmwares(one, other, a.platform === "snp" ? "pages" : "whole");
  if (groups !== undefined && sameStart(a, b, { start: START }))
    return describeTraces(a.events ?? [], b.events ?? [], groups);
  if (groups !== undefined) return describeStarts(a.events ?? [], b.events ?? []);
  return describeFiles(fileOf(a, "firmware"), fileOf(b, "firmware"));
}

/** Firmware of which one side, or both, know only the launch digest after its pages. */
function describeStarts(a: readonly MeasuredEvent[], b: readonly MeasuredEvent[]): Finding[] {
  return [
    {
      subject: "firmware",
      what: "the firmware differs: the launch digest after its pages is another",
      details: ["one side knows its firmware by a digest; with both images, explain names the bytes"],
      register: LAUNCH_DIGEST,
      eventIndex: 0,
    },
    ...describeSections(sectionsOf(a), sectionsOf(b)).map((finding) => ({
      ...finding,
      register: LAUNCH_DIGEST,
    })),
  ];
}

function describeFiles(one: KnownPart | undefined, other: KnownPart | undefined): Finding[] {
  if (one === undefined || other === undefined || one.sha256 === other.sha256) return [];
  const [left, right] = [one.size ?? 0, other.size ?? 0];
  // No image has part of a page: this is a reference that stands for one, and its file says nothing of the image's.
  const references = [left, right].filter((size) => size % PAGE_SIZE !== 0).length;
  if (references === 1) return [];
  const sized = left !== right && references === 0;
  return [
    {
      subject: sized ? "firmwareSize" : "firmware",
      what: sized
        ? "the firmware images have different sizes, so they start at different guest addresses"
        : "the firmware differs",
      a: `${left} bytes, sha256 ${one.sha256}`,
      b: `${right} bytes, sha256 ${other.sha256}`,
      details: ["with both images at hand, explain names the bytes and the part of the image around them"],
      register: LAUNCH_DIGEST,
    },
  ];
}

/** A shape with what its events say better than it does. */
function shapeOf(side: Side): KnownShape {
  const shape = readShape(side.shape, side.platform);
  const [bsp, ...aps] = side.events?.filter(isVmsa) ?? [];
  if (bsp === undefined) return shape;
  const named = shape.cpuSignature === undefined ? identifyVmsa(bsp.digest, side.platform) : undefined;
  return { ...shape, ...named, vcpus: 1 + aps.length };
}

function bootOf(side: Side): KnownBoot {
  const parts = BOOT_PARTS.flatMap((part) => {
    const known = fileOf(side, part);
    return known === undefined ? [] : [[part, known] as const];
  });
  return { hashed: hashedBy(side), parts: Object.fromEntries(parts) };
}

/** Whether the kernel hashes are measured: a trace shows it, a measurement says it. */
function hashedBy({ platform, events, covered }: Side): boolean | undefined {
  const pages = events?.filter(isHashPage) ?? [];
  // SEV and SEV-ES have the table as an event of its own, or not at all.
  if (events !== undefined && platform !== "snp") return pages.length > 0;
  if (pages.length > 0) return pages.some(({ type }) => type === "NORMAL");
  return covered?.includes("kernel");
}

function fileOf({ artifacts, inputs }: Side, role: string): KnownPart | undefined {
  const bytes = artifacts[role];
  if (bytes !== undefined) return { bytes, size: bytes.length, sha256: formatHex(sha256(bytes)) };
  const input = inputs.find((named) => named.role === role);
  if (input === undefined) return undefined;
  return { sha256: input.sha256, ...(input.size !== undefined && { size: input.size }) };
}

/** The event from which on a finding changes the register. */
function placeIn(finding: Finding, groups: readonly ChangeGroup[]): Finding {
  if (finding.register === undefined || finding.eventIndex !== undefined) return finding;
  const about = SUBJECT_EVENTS[finding.subject] ?? ((): boolean => true);
  const group = groups.find(({ changes }) => changes.some((change) => about(eventOf(change))));
  return group === undefined ? finding : { ...finding, eventIndex: indexOf(group) };
}

const SUBJECT_EVENTS: Readonly<Record<string, (event: MeasuredEvent) => boolean>> = {
  firmware: isImagePage,
  section: isSectionPage,
  profile: (event) => !isImagePage(event),
  kernelHashes: isHashPage,
  kernel: isHashPage,
  initrd: isHashPage,
  cmdline: isHashPage,
  cpu: isVmsa,
  guestFeatures: isVmsa,
  vcpus: isVmsa,
};

/** Stable: findings of one event keep their order, those without an event come last. */
function inOrder(findings: readonly Finding[]): Finding[] {
  const position = ({ eventIndex }: Finding): number => eventIndex ?? Number.MAX_SAFE_INTEGER;
  return findings.toSorted((one, other) => position(one) - position(other));
}

/** Groups of events that no finding accounts for. */
function unexplained(a: Side, b: Side, groups: readonly ChangeGroup[], found: readonly Finding[]): Finding[] {
  const has = (...subjects: string[]): boolean =>
    found.some(({ subject, register }) => register !== undefined && subjects.includes(subject));
  const firmware = has("firmware", "firmwareSize", "firmwareFile", "section", "resetAddress", "hashTable");
  const table = has("tableEntry", "secretArea");
  return groups.flatMap((group): Finding[] => {
    const events = group.changes.map(eventOf);
    if (events.every(isImagePage)) return firmware || table ? [] : [describeGroup(group)];
    if (events.every(isHashPage))
      return has("kernelHashes", "kernel", "initrd", "cmdline", "hashTable", "section", "profile")
        ? []
        : [describeHashPage(group)];
    if (events.every(isSectionPage))
      return has("section", "profile", "tableEntry", "firmware", "firmwareSize")
        ? []
        : [describeGroup(group)];
    if (events.every(isVmsa)) return describeVmsas(a, b, group, has);
    return has("profile", "varsSize", "svsm", "regions", "region") ? [] : [describeGroup(group)];
  });
}

function describeHashPage(group: ChangeGroup): Finding {
  return {
    ...describeGroup(group),
    subject: "kernelHashes",
    what: "the kernel hashes table differs: kernel, initrd or command line",
    details: ["the documents do not say which; measurements name the hashes of all three"],
  };
}

/** VMSAs whose difference the shapes do not tell: their fields when they can be rebuilt, else that they differ. */
function describeVmsas(
  a: Side,
  b: Side,
  group: ChangeGroup,
  has: (...subjects: string[]) => boolean,
): Finding[] {
  if (group.kind === "inserted" || group.kind === "removed") {
    if (has("vcpus")) return [];
    const count = (side: Side): number => side.events?.filter(isVmsa).length ?? 0;
    return describeCounts(count(a), count(b)).map((finding) => ({ ...finding, eventIndex: indexOf(group) }));
  }
  // Where an SVSM lies and starts is in every VMSA.
  if (has("profile", "cpu", "guestFeatures", "resetAddress", "tableEntry", "varsSize", "svsm")) return [];
  const unproven = [a, b].some((side) => !provesVmsa(side));
  return [
    {
      ...describeGroup(group),
      subject: "vmsa",
      what: "the VMSAs differ: CPU, guest features or the VMM's profile",
      details: unproven
        ? [
            "the shapes that the documents name do not give these VMSAs; bootproof explain --observed searches them",
          ]
        : [],
    },
  ];
}

/** Whether a side's first VMSA is the one that its shape gives. */
function provesVmsa(side: Side): boolean {
  const page = vmsaOf(readShape(side.shape, side.platform), "bsp");
  const event = side.events?.find(isVmsa);
  const hash = side.platform === "snp" ? sha384 : sha256;
  return page !== undefined && event !== undefined && equalBytes(hash(page), event.digest);
}
