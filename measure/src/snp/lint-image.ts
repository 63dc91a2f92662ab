/**
 * Findings about an image as a whole and about its GUIDed table.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import {
  type GuidTable,
  type GuidTableEntry,
  guidName,
  HASH_TABLE_GUID,
  parseGuidTable,
  parseSecretArea,
  parseTdxMetadataOffset,
  parseVolume,
  RESET_BLOCK_GUID,
  SEV_METADATA_GUID,
  SVSM_INFO_GUID,
} from "@bootproof/ovmf";
import { checkImageSize } from "./firmware-reference.ts";
import { type FirmwareFinding, finding, type FindingDetail, type FirmwareLintCode } from "./lint-rules.ts";

const FOUR_GIB = 0x1_0000_0000;
/** QEMU hw/i386/x86-common.c: `-bios` takes whole 64 KiB. */
const BIOS_UNIT = 0x1_0000;
/** QEMU hw/i386/pc.c: max-fw-size of flash unless another is given. */
const DEFAULT_FLASH_LIMIT = 8 * 1024 * 1024;

/** EFI_SYSTEM_NV_DATA_FV_GUID: the volume that combined OVMF images start with. */
const VARIABLE_STORE = "fff12b8d-7696-4c8b-a985-2747075b4f50";

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A parse error as a finding: the same place, what was expected and what was found. */
export function fromParseError(
  code: FirmwareLintCode,
  error: ParseError,
  message: string,
  detail: FindingDetail = {},
): FirmwareFinding {
  return finding(code, message, {
    offset: error.offset,
    expected: error.expected,
    found: error.found,
    ...detail,
  });
}

/** Runs a parser; a refusal becomes a finding by `refused`, if any; anything else that is thrown stays thrown. */
export function attempt<T>(
  findings: FirmwareFinding[],
  parse: () => T,
  refused: (error: ParseError) => FirmwareFinding | undefined,
): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const found = refused(error);
    if (found !== undefined) findings.push(found);
    return undefined;
  }
}

/** Findings about the size, and about what a file of this size and start is. */
export function lintImage(image: Uint8Array, findings: FirmwareFinding[]): void {
  const { length } = image;
  attempt(
    findings,
    () => {
      checkImageSize(length);
    },
    (error) =>
      error.code === "TOO_LARGE"
        ? fromParseError("BP-LINT-002", error, "the image is larger than QEMU maps below 4 GiB")
        : fromParseError("BP-LINT-001", error, "the image is not made of whole pages"),
  );
  if (length > DEFAULT_FLASH_LIMIT)
    findings.push(
      finding("BP-LINT-044", "QEMU maps flash of this size only with max-fw-size; -bios takes it", {
        expected: `at most ${DEFAULT_FLASH_LIMIT} bytes`,
        found: `${length}`,
      }),
    );
  if (length > 0 && length % BIOS_UNIT !== 0)
    findings.push(
      finding(
        "BP-LINT-042",
        "QEMU's -bios takes multiples of 64 KiB: this image launches as flash, which SNP guests had in AMD's trees before QEMU 9.1 only",
        { expected: "a multiple of 65536 bytes", found: `${length}` },
      ),
    );
  if (startsWithoutVariables(image))
    findings.push(
      finding(
        "BP-LINT-043",
        `the image has no variable store: it starts at ${hex(FOUR_GIB - length)}, the combined file of the same build elsewhere, so their launch digests differ`,
        { offset: 0 },
      ),
    );
}

/** Parses the table and says what is odd about it; undefined when there is none. */
export function lintTable(image: Uint8Array, findings: FirmwareFinding[]): GuidTable | undefined {
  const table = attempt(
    findings,
    () => parseGuidTable(image),
    (error) =>
      error.code === "OUT_OF_RANGE"
        ? fromParseError("BP-LINT-004", error, "the GUIDed table reaches out of the image")
        : fromParseError("BP-LINT-003", error, "the image has no GUIDed table: this is no OVMF image"),
  );
  if (table === undefined) return undefined;
  findings.push(...unread(table), ...duplicates(table), ...longEntries(table), ...svsm(table));
  const unneeded = (what: string, parse: () => unknown): void => {
    attempt(findings, parse, (error) =>
      error.code === "DUPLICATE" || error.code === "MISSING"
        ? undefined
        : fromParseError(
            "BP-LINT-047",
            error,
            `${what} cannot be read; launches of SEV guests do not need it`,
          ),
    );
  };
  unneeded("the SEV secret area", () => parseSecretArea(table));
  unneeded("the place of the TDX metadata", () => parseTdxMetadataOffset(image, table));
  return table;
}

function startsWithoutVariables(image: Uint8Array): boolean {
  try {
    return parseVolume(image, 0).fileSystem !== VARIABLE_STORE;
  } catch (error) {
    if (error instanceof ParseError) return false; // padding, or only the end of an image
    throw error;
  }
}

function unread({ unread: rest }: GuidTable): FirmwareFinding[] {
  if (rest === undefined) return [];
  const { offset, length, why } = rest;
  return [
    finding(
      "BP-LINT-005",
      `${length} bytes of the GUIDed table hold no entry (${why}): QEMU stops there, Google's tool refuses the image`,
      { offset },
    ),
  ];
}

/** Entries without which there is no SNP launch; for a second one there is no answer that all readers agree on. */
const NEEDED: ReadonlySet<string> = new Set([RESET_BLOCK_GUID, SEV_METADATA_GUID, HASH_TABLE_GUID]);

function duplicates({ entries }: GuidTable): FirmwareFinding[] {
  const first = new Map<string, GuidTableEntry>();
  const found = new Map<string, FirmwareFinding>();
  for (const entry of entries) {
    const { guid, offset } = entry;
    const taken = first.get(guid);
    if (taken === undefined) {
      first.set(guid, entry);
      continue;
    }
    const needed = NEEDED.has(guid);
    found.set(
      guid,
      finding(
        "BP-LINT-006",
        `GUIDed table entry ${guidName(guid) ?? guid} is there twice: QEMU takes the one nearest the footer (${hex(taken.offset)}), sev-snp-measure and crate sev the one furthest from it (${hex(offset)}), Google's tool refuses the image`,
        {
          offset,
          expected: "one entry",
          found: "two or more",
          ...(needed && { severity: "cannot launch" }),
          ...(guid === RESET_BLOCK_GUID && {
            effects: { ec2: "could not decide", gce: "no", sevEs: "could not decide" },
          }),
        },
      ),
    );
  }
  return [...found.values()];
}

/** Google's tool wants exactly these bytes of data; QEMU and the others ignore what follows. */
const EXACT: readonly (readonly [string, number])[] = [
  [RESET_BLOCK_GUID, 4],
  [SEV_METADATA_GUID, 4],
];

function longEntries({ entries }: GuidTable): FirmwareFinding[] {
  return EXACT.flatMap(([guid, length]) =>
    entries
      .filter((entry) => entry.guid === guid && entry.data.length > length)
      .map(({ name, offset, data }) =>
        finding(
          "BP-LINT-017",
          `GUIDed table entry ${name ?? guid} has more data than its kind has: QEMU ignores the rest, Google's tool refuses the image`,
          { offset, expected: `${length} bytes of data`, found: `${data.length}` },
        ),
      ),
  );
}

function svsm({ entries }: GuidTable): FirmwareFinding[] {
  return entries
    .filter(({ guid }) => guid === SVSM_INFO_GUID)
    .map(({ offset }) =>
      finding(
        "BP-LINT-046",
        "the image is an SVSM, which is launched beside an OVMF image or from an IGVM file, not alone",
        { offset },
      ),
    );
}
