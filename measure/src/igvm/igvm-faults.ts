/**
 * What QEMU and KVM cannot launch of an IGVM file. The engine stops at the first fault, the linter lists all.
 * QEMU backends/igvm.c and target/i386/sev.c; Linux arch/x86/kvm/svm/sev.c: a page is launched once.
 * @module
 */
import type { IgvmDirective, IgvmVpContext } from "@bootproof/ovmf/igvm";
import { igvmHeaderName } from "@bootproof/ovmf/igvm";
import { guestFeatureNames } from "../snp/guest-features.ts";
import { counts, headerLabel, idBlocks, type IgvmGuest, vpContexts } from "./igvm-guest.ts";
import { KVM_VMSA_ADDRESS } from "./igvm-processors.ts";
import { firstUnsynced, kvmRefusals, vmsaFeatures } from "./kvm-vmsa.ts";
import { type IgvmFinding, igvmFinding, type IgvmLintCode } from "./lint-rules.ts";

const FOUR_GIB = 0x1_0000_0000n;
/** 52 bits, the most that any processor addresses. */
const ADDRESS_END = 1n << 52n;
/** SNPActive, DebugSwap, SecureTSC: what mainline KVM lets a VMM set, as far as the processor has it. */
const MAINLINE_FEATURES = 0x221n;
const SNP_ACTIVE = 1n;

/** Headers that QEMU handles; it refuses a file with any other, whatever its mask says. */
const HANDLED: ReadonlySet<string> = new Set([
  "GUEST_POLICY",
  "PAGE_DATA",
  "VP_CONTEXT",
  "PARAMETER_AREA",
  "PARAMETER_INSERT",
  "MEMORY_MAP",
  "VP_COUNT_PARAMETER",
  "ENVIRONMENT_INFO_PARAMETER",
  "REQUIRED_MEMORY",
  "SNP_ID_BLOCK",
  "MADT",
  "DEVICE_TREE",
]);

/** More of a kind would be a list nobody reads, and a file can have 100,000. */
const MAX_OF_A_KIND = 8;

/** Several readings and the linter ask for the same guest's. */
const known = new WeakMap<IgvmGuest, readonly IgvmFinding[]>();

/** Why QEMU and KVM cannot launch a guest: of each kind the first ones, in file order. */
export function igvmFaults(guest: IgvmGuest): readonly IgvmFinding[] {
  const found = known.get(guest) ?? findFaults(guest);
  known.set(guest, found);
  return found;
}

function findFaults(guest: IgvmGuest): IgvmFinding[] {
  const kept = new Map<string, IgvmFinding[]>();
  for (const fault of allFaults(guest)) {
    const same = kept.get(fault.code) ?? [];
    kept.set(fault.code, same);
    if (same.length < MAX_OF_A_KIND) same.push(fault);
  }
  return [...kept.values()].flat();
}

function* allFaults(guest: IgvmGuest): Generator<IgvmFinding> {
  yield* unhandledHeaders(guest);
  yield* memoryFaults(guest);
  yield* idBlockFaults(guest);
  for (const context of vpContexts(guest)) yield* contextFaults(guest, context);
}

function* unhandledHeaders({ file }: IgvmGuest): Generator<IgvmFinding> {
  for (const section of [file.initialization, file.directives])
    for (const header of section) {
      if (header.kind === "OPTIONAL" || HANDLED.has(igvmHeaderName(header))) continue;
      const message = `QEMU has no handler for ${headerLabel(header)} and refuses the file`;
      yield igvmFinding("BP-LINT-102", message, header);
    }
}

function* memoryFaults(guest: IgvmGuest): Generator<IgvmFinding> {
  const ranges: GuestRange[] = [];
  for (const header of guest.file.directives) {
    if (!counts(guest, header)) continue;
    if (header.kind === "PARAMETER" && header.byteOffset >= header.areaSize)
      yield igvmFinding("BP-LINT-114", `${headerLabel(header)} lies behind the end of its area`, header);
    if (header.kind !== "PAGE_DATA" && header.kind !== "PARAMETER_INSERT") continue;
    const range = { start: header.guestAddress, end: header.guestAddress + BigInt(header.size), header };
    yield* rangeFaults(guest, range);
    if (range.end > range.start) ranges.push(range);
  }
  yield* overlaps(ranges);
}

interface GuestRange {
  readonly start: bigint;
  readonly end: bigint;
  readonly header: IgvmDirective;
}

function* rangeFaults({ platform }: IgvmGuest, { start, end, header }: GuestRange): Generator<IgvmFinding> {
  const special = header.kind === "PAGE_DATA" && header.dataType !== "NORMAL" ? header.dataType : undefined;
  const fault = (code: IgvmLintCode, what: string): IgvmFinding =>
    igvmFinding(code, `${headerLabel(header)} ${what}`, header);
  if (start === end) yield fault("BP-LINT-104", "inserts an empty area: KVM refuses a length of 0");
  if (end > ADDRESS_END) yield fault("BP-LINT-115", `ends at ${hex(end)}, beyond 52 bits`);
  if (special === undefined) return;
  if (platform !== "snp") yield fault("BP-LINT-107", `is a ${special} page: QEMU refuses it without SEV-SNP`);
  else if (special !== "SECRETS" && start >= FOUR_GIB)
    yield fault("BP-LINT-105", `is a CPUID page at ${hex(start)}: QEMU cuts its address to 32 bits`);
}

function* overlaps(ranges: GuestRange[]): Generator<IgvmFinding> {
  ranges.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let widest: GuestRange | undefined;
  for (const range of ranges) {
    if (widest !== undefined && range.start < widest.end) {
      const both = `${headerLabel(range.header)} and ${headerLabel(widest.header)}`;
      const message = `${both} both give the page at ${hex(range.start)}: KVM takes a page once`;
      yield igvmFinding("BP-LINT-103", message, range.header);
    }
    if (widest === undefined || range.end > widest.end) widest = range;
  }
}

function* idBlockFaults(guest: IgvmGuest): Generator<IgvmFinding> {
  for (const header of idBlocks(guest).slice(1))
    yield igvmFinding("BP-LINT-108", `${headerLabel(header)} is a second ID block: QEMU takes one`, header);
}

function contextFaults(guest: IgvmGuest, context: IgvmVpContext): IgvmFinding[] {
  const label = headerLabel(context);
  const { platform } = guest;
  if (platform === "sev")
    return [
      igvmFinding(
        "BP-LINT-106",
        `${label} on SEV: QEMU takes processor state with SEV-ES or SEV-SNP`,
        context,
      ),
    ];
  const fault = (code: IgvmLintCode, message: string): IgvmFinding => igvmFinding(code, message, context);
  const faults = kvmRefusals(context.data).map((why) => fault("BP-LINT-109", `${label}: ${why}`));
  if (context.guestAddress !== KVM_VMSA_ADDRESS)
    faults.push(
      fault(
        "BP-LINT-111",
        `${label} is at ${hex(context.guestAddress)}: KVM puts every VMSA at ${hex(KVM_VMSA_ADDRESS)}, and QEMU refuses another address`,
      ),
    );
  const unsynced = firstUnsynced(context.data);
  if (unsynced !== undefined)
    faults.push(
      fault(
        "BP-LINT-112",
        `${label} sets fields that do not reach KVM, the first at VMSA offset ${hex(unsynced)}: QEMU refuses it`,
      ),
    );
  return [...faults, ...featureFaults(guest, context)];
}

function featureFaults({ platform }: IgvmGuest, context: IgvmVpContext): IgvmFinding[] {
  const label = headerLabel(context);
  const features = vmsaFeatures(context.data);
  const snp = platform === "snp";
  if (((features & SNP_ACTIVE) !== 0n) !== snp)
    return [
      igvmFinding(
        "BP-LINT-110",
        `${label} has guest features ${hex(features)} ${snp ? "without" : "with"} SNPActive: QEMU refuses it`,
        context,
      ),
    ];
  const beyond = snp ? features & ~MAINLINE_FEATURES : features;
  if (beyond === 0n) return [];
  return [
    igvmFinding(
      "BP-LINT-113",
      `${label} asks for ${guestFeatureNames(beyond).join(", ")}: mainline KVM does not offer ${snp ? "that" : "guest features on SEV-ES"}`,
      context,
    ),
  ];
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
