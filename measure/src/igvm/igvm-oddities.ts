/**
 * What is odd about an IGVM file that launches: where tools part, and what KVM changes.
 * @module
 */
import type { IgvmDirective, IgvmInitialization, IgvmVpContext } from "@bootproof/ovmf/igvm";
import { compareVmsas, formatFieldDifference } from "../snp/describe-vmsa.ts";
import { counts, guestPolicyOf, headerLabel, type IgvmGuest, vpContexts } from "./igvm-guest.ts";
import { contextsByProcessor, launchFeatures } from "./igvm-processors.ts";
import { kvmVmsa, vmsaCr0 } from "./kvm-vmsa.ts";
import { type IgvmConsumer, type IgvmFinding, igvmFinding, type IgvmLintCode } from "./lint-rules.ts";

const PAGE_SIZE = 4096;
const LARGE_PAGE_SIZE = 0x20_0000n;
/** What igvmmeasure --check-kvm allows. */
const CHECKED_CR0 = [0x30n, 0x31n];

/** Findings of severity "differs" and "note", without those that need a digest. */
export function oddities(guest: IgvmGuest): IgvmFinding[] {
  return [...pageOddities(guest), ...orderOddities(guest), ...contextOddities(guest), ...fileOddities(guest)];
}

/** One finding for all headers of a kind: a file has thousands of pages. */
function together(
  code: IgvmLintCode,
  headers: readonly IgvmDirective[],
  say: (which: string) => string,
  refusedBy?: readonly IgvmConsumer[],
): IgvmFinding[] {
  const [first, ...more] = headers;
  if (first === undefined) return [];
  const which = more.length === 0 ? headerLabel(first) : `${headerLabel(first)} and ${more.length} more`;
  return [igvmFinding(code, say(which), { offset: first.offset, ...(refusedBy && { refusedBy }) })];
}

function pageOddities(guest: IgvmGuest): IgvmFinding[] {
  const counted = guest.file.directives.filter((header) => counts(guest, header));
  const pages = counted.filter((header) => header.kind === "PAGE_DATA");
  const large = pages.filter(({ size }) => size > PAGE_SIZE);
  return [
    ...together(
      "BP-LINT-121",
      pages.filter(
        ({ data, dataType, unmeasured }) => dataType === "NORMAL" && !unmeasured && data.length === 0,
      ),
      (which) => `${which} without data: NORMAL pages of zeros, under igvmmeasure --native-zero ZERO pages`,
    ),
    ...together(
      "BP-LINT-122",
      counted.filter((header) => header.kind === "PARAMETER_INSERT" && header.size > PAGE_SIZE),
      (which) => `${which} of several pages: QEMU measures each, igvmmeasure one`,
    ),
    ...together(
      "BP-LINT-123",
      pages.filter(({ shared }) => shared),
      (which) => `${which} shared: QEMU measures it all the same, the igvm crate leaves it out`,
    ),
    ...together(
      "BP-LINT-124",
      large.filter(({ data }) => data.length === 0),
      (which) => `${which} of 2 MiB: 512 pages, for the igvm crate one`,
    ),
    ...together(
      "BP-LINT-125",
      large.filter(({ data }) => data.length > 0),
      (which) => `${which} of 2 MiB with data: QEMU launches its first 4 KiB and zeros, igvmmeasure stops`,
    ),
    ...together(
      "BP-LINT-137",
      large.filter(({ guestAddress }) => guestAddress % LARGE_PAGE_SIZE !== 0n),
      (which) => `${which} of 2 MiB starts off a 2 MiB boundary`,
    ),
  ];
}

function orderOddities(guest: IgvmGuest): IgvmFinding[] {
  const counted = guest.file.directives.filter(
    (header) =>
      counts(guest, header) && ["PAGE_DATA", "PARAMETER_INSERT", "VP_CONTEXT"].includes(header.kind),
  );
  const firstPage = counted.findIndex(({ kind }) => kind === "PAGE_DATA");
  const late = counted.filter(
    ({ kind }, at) => kind === "PARAMETER_INSERT" && firstPage >= 0 && at > firstPage,
  );
  const lastOther = counted.findLastIndex(({ kind }) => kind !== "VP_CONTEXT");
  const early = counted.filter(({ kind }, at) => kind === "VP_CONTEXT" && at < lastOther);
  const lastInsert = counted.findLastIndex(({ kind }) => kind === "PARAMETER_INSERT");
  const beforeInsert = early.some((header) => counted.indexOf(header) < lastInsert);
  return [
    ...together(
      "BP-LINT-120",
      late,
      (which) =>
        `${which} behind pages: upstream QEMU measures it before those that still wait, other tools behind them`,
    ),
    ...together(
      "BP-LINT-126",
      early,
      (which) => `${which} before pages or areas: KVM measures VMSAs last, other tools in place`,
      // Its check looks at areas behind the context and not at pages.
      beforeInsert ? ["igvmmeasure"] : [],
    ),
  ];
}

function contextOddities(guest: IgvmGuest): IgvmFinding[] {
  if (guest.platform === "sev") return [];
  const contexts = vpContexts(guest);
  const vmsas = guest.file.directives.filter(
    (header): header is IgvmVpContext =>
      header.kind === "VP_CONTEXT" && (header.platform === "snp" || header.platform === "sev-es"),
  );
  const cr0 = contexts.filter(({ data }) => !CHECKED_CR0.includes(vmsaCr0(data)));
  return [
    ...together(
      "BP-LINT-127",
      contexts.slice(1),
      (which) => `${which} besides another: QEMU takes one a processor, other tools measure each`,
      ["igvmmeasure"],
    ),
    ...changedByKvm(guest),
    ...together(
      "BP-LINT-130",
      vmsas.filter((header) => !counts(guest, header)),
      (which) => `${which} for another platform: igvmmeasure measures it all the same`,
    ),
    ...together(
      "BP-LINT-133",
      cr0,
      (which) => `${which} with CR0 other than 0x30 and 0x31: igvmmeasure --check-kvm refuses it`,
    ),
    ...(contexts.length > 0
      ? []
      : [igvmFinding("BP-LINT-134", "the file has no VP context: every processor starts in reset state")]),
  ];
}

function changedByKvm(guest: IgvmGuest): IgvmFinding[] {
  const options = { features: launchFeatures(guest), fpu: guest.platform === "snp" };
  return [...contextsByProcessor(guest).values()].flatMap((context) => {
    const [first, ...more] = compareVmsas(context.data, kvmVmsa(context.data, options));
    if (first === undefined) return [];
    const rest = more.length === 0 ? "" : `, and ${more.length} more`;
    const message = `${headerLabel(context)}: KVM measures other registers than the file has: ${formatFieldDifference(first)}${rest}`;
    return [igvmFinding("BP-LINT-129", message, context)];
  });
}

function fileOddities(guest: IgvmGuest): IgvmFinding[] {
  const { file } = guest;
  const headers: readonly (IgvmInitialization | IgvmDirective)[] = [
    ...file.initialization,
    ...file.directives,
  ];
  const served = file.platforms.reduce((mask, platform) => mask | platform.mask, 0);
  const newer = headers.filter(
    (header) =>
      header.kind === "OPTIONAL" || (header.kind === "PARAMETER" && header.parameter === "DEVICE_TREE"),
  );
  const [nobody] = headers.filter((header) => "mask" in header && (header.mask & served) === 0);
  const optional = newer.find(({ kind }) => kind === "OPTIONAL");
  const [first] = newer;
  return [
    ...(guestPolicyOf(guest) === undefined
      ? [igvmFinding("BP-LINT-128", "the file has no guest policy for the platform: QEMU keeps its own")]
      : []),
    ...(first === undefined
      ? []
      : [
          igvmFinding("BP-LINT-131", `${headerLabel(optional ?? first)}: only loaders of 2026 take it`, {
            offset: (optional ?? first).offset,
            // The other tools know device trees, and refuse to skip anything.
            refusedBy: optional === undefined ? [] : ["igvmmeasure", "google", "openvmm"],
          }),
        ]),
    ...(nobody === undefined
      ? []
      : [igvmFinding("BP-LINT-136", `${headerLabel(nobody)} is for no platform of the file`, nobody)]),
  ];
}
