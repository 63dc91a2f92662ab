/**
 * Findings about the SEV metadata, its sections and the AP reset address.
 * @module
 */
import type { ParseError, ParseErrorCode } from "@bootproof/bytes";
import {
  type GuidTable,
  parseResetBlock,
  parseSevMetadata,
  SEV_SECTION_TYPE,
  type SevMetadata,
  type SevSection,
  TDX_METADATA_GUID,
} from "@bootproof/ovmf";
import { attempt, fromParseError } from "./lint-image.ts";
import { type FirmwareFinding, finding, type FirmwareLintCode } from "./lint-rules.ts";
import { PAGE_SIZE } from "./page-info.ts";
import { sectionFaults, type SectionFaultKind, sectionLabel } from "./section-faults.ts";

const TWO_GIB = 0x8000_0000;
const { CPUID, SNP_SECRETS, SNP_SEC_MEM, SVSM_CAA } = SEV_SECTION_TYPE;

/** Reads the AP reset address and says what is wrong with it; without a table it can stand bare. */
export function lintResetAddress(
  image: Uint8Array,
  table: GuidTable | undefined,
  findings: FirmwareFinding[],
): void {
  const address = attempt(
    findings,
    () => parseResetBlock(image, table),
    (error) => {
      if (error.code === "DUPLICATE") return undefined; // BP-LINT-006 says it
      return error.at === "AP reset address"
        ? fromParseError("BP-LINT-015", error, "the AP reset address is 0, which QEMU refuses")
        : fromParseError(
            "BP-LINT-014",
            error,
            "the image has no AP reset address (SEV-ES reset block), which QEMU needs for SNP and SEV-ES guests",
          );
    },
  );
  if (table === undefined && address !== undefined)
    findings.push(
      finding(
        "BP-LINT-048",
        "a bare SEV-ES reset block stands where the table should be: QEMU takes it for SEV-ES guests",
        { offset: image.length - 48, found: `0x${address.toString(16)}` },
      ),
    );
}

/** Parses the metadata and says what is wrong with it and its sections; undefined when it cannot be read. */
export function lintMetadata(
  image: Uint8Array,
  table: GuidTable,
  findings: FirmwareFinding[],
): SevMetadata | undefined {
  const metadata = attempt(findings, () => parseSevMetadata(image, table), unreadable);
  if (metadata === undefined) return undefined;
  if (metadata.unread > 0)
    findings.push(
      finding(
        "BP-LINT-012",
        "the SEV metadata is longer than its sections: QEMU reads no more than they, Google's tool refuses the image",
        {
          offset: metadata.offset + 4,
          expected: `${metadata.length - metadata.unread} bytes for ${metadata.sections.length} sections`,
          found: `${metadata.length}`,
        },
      ),
    );
  findings.push(...faults(metadata, image.length), ...kinds(metadata), ...metadata.sections.flatMap(odd));
  const tdx = table.entries.find(({ guid }) => guid === TDX_METADATA_GUID);
  if (tdx !== undefined && metadata.sections.some(isPlaceholder))
    findings.push(
      finding(
        "BP-LINT-045",
        "the image has TDX metadata, and SEV sections with address and size 0, which builds for TDX leave as placeholders",
        { offset: tdx.offset },
      ),
    );
  return metadata;
}

const isPlaceholder = ({ guestAddress, size }: SevSection): boolean => guestAddress === 0 && size === 0;

function unreadable(error: ParseError): FirmwareFinding | undefined {
  if (error.code === "DUPLICATE") return undefined; // BP-LINT-006 says it
  const [code, message] =
    UNREADABLE[error.code] ??
    (error.at.startsWith("SEV metadata offset")
      ? ["BP-LINT-008", "the GUIDed table's pointer to the SEV metadata leads nowhere"]
      : ["BP-LINT-011", `the ${error.at} does not fit`]);
  return fromParseError(code, error, message);
}

const NO_METADATA =
  "the GUIDed table names no SEV metadata: QEMU does not learn where the CPUID and secrets pages are";

const UNREADABLE: Readonly<Partial<Record<ParseErrorCode, readonly [FirmwareLintCode, string]>>> = {
  MISSING: ["BP-LINT-007", NO_METADATA],
  TRUNCATED: ["BP-LINT-007", NO_METADATA],
  BAD_MAGIC: ["BP-LINT-009", "there is no SEV metadata where the GUIDed table points"],
  UNSUPPORTED: ["BP-LINT-010", "the SEV metadata has a version that QEMU refuses"],
};

const FAULTS: Readonly<Record<SectionFaultKind, readonly [FirmwareLintCode, string]>> = {
  none: ["BP-LINT-013", "there are no sections, so no CPUID and no secrets page: no SNP guest starts"],
  "zero size": ["BP-LINT-018", "has size 0: KVM refuses to launch no pages"],
  "unaligned address": ["BP-LINT-019", "starts within a page: pages are launched whole"],
  "unaligned size": ["BP-LINT-020", "ends within a page: KVM refuses part of a page"],
  "beyond 4 GiB": ["BP-LINT-021", "ends above 4 GiB, where QEMU has no memory for it"],
  overlap: ["BP-LINT-022", "shares pages with another section: a page is launched once"],
  "overlaps image": ["BP-LINT-023", "reaches into the image: a page is launched once"],
  "too many pages": [
    "BP-LINT-024",
    "the sections have more pages than bootproof measures; firmware in use declares some hundred",
  ],
};

function faults(metadata: SevMetadata, imageSize: number): FirmwareFinding[] {
  return Array.from(sectionFaults(metadata, imageSize), ({ kind, section, error }) => {
    const [code, what] = FAULTS[kind];
    const message = section === undefined ? what : `${sectionLabel(section)} ${what}`;
    return fromParseError(code, error, message, { section: section?.index });
  });
}

/** What every guest needs and nobody wants twice. */
const WANTED: readonly (readonly [type: number, name: string, absent: FirmwareLintCode, why: string])[] = [
  [CPUID, "CPUID", "BP-LINT-026", "a guest launches on QEMU and cannot start"],
  [SNP_SECRETS, "SNP_SECRETS", "BP-LINT-027", "a guest launches on QEMU and cannot ask for reports"],
  [SNP_SEC_MEM, "SNP_SEC_MEM", "BP-LINT-028", "the first code of the firmware has no memory"],
];

function kinds({ sections, offset }: SevMetadata): FirmwareFinding[] {
  if (sections.length === 0) return [];
  return WANTED.flatMap(([type, name, absent, why]) => {
    const [section, second] = sections.filter((candidate) => candidate.type === type);
    if (section === undefined)
      return [
        finding(absent, `there is no ${name} section: ${why}, and Google's tool refuses the image`, {
          offset,
          expected: `a section of type ${type}`,
          found: "none",
        }),
      ];
    if (second === undefined || type === SNP_SEC_MEM) return [];
    return [
      finding(
        "BP-LINT-029",
        `${sectionLabel(second)} is the second of its type: QEMU launches both, Google's tool refuses the image`,
        { offset: second.offset, section: second.index, expected: "one", found: "two or more" },
      ),
    ];
  });
}

function odd(section: SevSection): FirmwareFinding[] {
  const { type, size, guestAddress, name, offset, index } = section;
  const label = sectionLabel(section);
  const findings: FirmwareFinding[] = [];
  if (name === undefined)
    findings.push(
      finding(
        "BP-LINT-025",
        `${label} has a type that nobody defines: QEMU measures it as ZERO, sev-snp-measure and Google's tool refuse the image, crate sev looks at the lowest byte only`,
        { offset: offset + 8, section: index, found: `0x${type.toString(16)}` },
      ),
    );
  if ((type === CPUID || type === SNP_SECRETS) && size > PAGE_SIZE)
    findings.push(
      finding(
        "BP-LINT-030",
        `${label} has more than one page: QEMU measures each, sev-snp-measure and crate sev count one`,
        { offset: offset + 4, section: index, expected: "0x1000", found: `0x${size.toString(16)}` },
      ),
    );
  if (guestAddress + size > TWO_GIB)
    findings.push(
      finding("BP-LINT-031", `${label} ends above 2 GiB: whether RAM is there depends on the machine`, {
        offset,
        section: index,
        expected: "at most 0x80000000",
        found: `0x${(guestAddress + size).toString(16)}`,
      }),
    );
  if (type === SVSM_CAA)
    findings.push(
      finding(
        "BP-LINT-032",
        `${label} is measured as ZERO by QEMU and by Google's tool; Oak's tool and old versions of sev-snp-measure stop at it`,
        { offset: offset + 8, section: index },
      ),
    );
  return findings;
}
