/**
 * What the header's own fields say: version, flags, numbers, and places that must be zero.
 * @module
 */
import { type EifFinding, hexNumber } from "./finding.ts";
import { EIF_FLAG_AARCH64, EIF_MAX_SECTIONS, type UntrustedEifHeader } from "./layout.ts";

/** Versions that are public: 0 and 1 never were, and nothing says what one above 4 means. */
export const EIF_VERSIONS: readonly number[] = [2, 3, 4];
const MIN_SECTIONS = 2;

/** Flags that twoliter sets for Bottlerocket's images. */
const NAMED_FLAGS: readonly (readonly [number, string])[] = [
  [0x40, "PCIE"],
  [0x200, "PCIE_VIRTIO"],
];

/** What is wrong with the header's fields, the table's offsets and sizes aside. */
export function judgeHeader(header: UntrustedEifHeader): EifFinding[] {
  return [
    ...judgeVersion(header),
    ...judgeFlags(header),
    ...judgeZero("reserved field", 0x18, header.reserved),
    ...judgeCount(header),
    ...judgeSlots(header),
    ...judgeZero("unused field", 0x21c, header.unused),
  ];
}

function judgeVersion({ version }: UntrustedEifHeader): EifFinding[] {
  if (EIF_VERSIONS.includes(version)) return [];
  return [
    {
      code: "BP-EIF-003",
      severity: "refused",
      message: `version ${version} of the format is not public`,
      offset: 4,
      expected: "2, 3 or 4",
      found: `${version}`,
    },
  ];
}

function judgeFlags({ flags }: UntrustedEifHeader): EifFinding[] {
  const others = flags & ~EIF_FLAG_AARCH64;
  if (others === 0) return [];
  const names = NAMED_FLAGS.filter(([flag]) => others & flag).map(([, name]) => name);
  const rest = NAMED_FLAGS.reduce((left, [flag]) => left & ~flag, others);
  const all = rest === 0 ? names : [...names, hexNumber(rest)];
  return [
    {
      code: "BP-EIF-004",
      severity: "refused",
      message: `header flags ${all.join(", ")}: how such an image is measured is not public`,
      offset: 6,
      expected: "0 (x86_64) or 1 (aarch64)",
      found: hexNumber(flags),
    },
  ];
}

function judgeZero(name: string, offset: number, value: number): EifFinding[] {
  if (value === 0) return [];
  return [
    {
      code: "BP-EIF-005",
      severity: "malformed",
      message: `the header's ${name} is not zero`,
      offset,
      expected: "0",
      found: hexNumber(value),
    },
  ];
}

function judgeCount({ sectionCount }: UntrustedEifHeader): EifFinding[] {
  if (sectionCount >= MIN_SECTIONS && sectionCount <= EIF_MAX_SECTIONS) return [];
  return [
    {
      code: "BP-EIF-006",
      severity: "malformed",
      message: `an EIF cannot have ${sectionCount} sections`,
      offset: 0x1a,
      expected: `${MIN_SECTIONS} to ${EIF_MAX_SECTIONS}`,
      found: `${sectionCount}`,
    },
  ];
}

/** Places of the table that the count leaves unused. */
function judgeSlots({ sectionCount, sectionOffsets, sectionSizes }: UntrustedEifHeader): EifFinding[] {
  const isUsed = (index: number): boolean => sectionOffsets[index] !== 0n || sectionSizes[index] !== 0n;
  for (let section = sectionCount; section < EIF_MAX_SECTIONS; section++)
    if (isUsed(section))
      return [
        {
          code: "BP-EIF-007",
          severity: "malformed",
          message: `place ${section} of the table is filled, and the header counts ${sectionCount} sections`,
          section,
          offset: (sectionOffsets[section] === 0n ? 0x11c : 0x1c) + 8 * section,
          expected: "0",
        },
      ];
  return [];
}
