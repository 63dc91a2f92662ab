/**
 * The types of IGVM variable headers: IgvmVariableHeaderType with the length of each structure.
 * @module
 */

/** Bit 31 of a type: a loader that does not know the type skips the header. */
export const OPTIONAL_BIT = 0x8000_0000;

/** The three sections, which follow each other in this order. */
export type IgvmSection = "platform" | "initialization" | "directive";

/** A known type: its name without `IGVM_VHT_`, its section, and the exact length of its body. */
export interface IgvmHeaderType {
  readonly type: number;
  readonly name: string;
  readonly section: IgvmSection;
  readonly length: number;
}

const row = (type: number, name: string, length: number): IgvmHeaderType => ({
  type,
  name,
  section: type < 0x101 ? "platform" : type < 0x301 ? "initialization" : "directive",
  length,
});

/** Types whose body is IGVM_VHS_PARAMETER: the VMM writes something into a parameter area. */
export const PARAMETER_TYPES: readonly IgvmHeaderType[] = [
  row(0x307, "VP_COUNT_PARAMETER", 8),
  row(0x308, "SRAT", 8),
  row(0x309, "MADT", 8),
  row(0x30a, "MMIO_RANGES", 8),
  row(0x30c, "MEMORY_MAP", 8),
  row(0x30e, "COMMAND_LINE", 8),
  row(0x30f, "SLIT", 8),
  row(0x310, "PPTT", 8),
  row(0x312, "DEVICE_TREE", 8),
  row(0x313, "ENVIRONMENT_INFO_PARAMETER", 8),
];

const TYPES: ReadonlyMap<number, IgvmHeaderType> = new Map(
  [
    row(0x001, "SUPPORTED_PLATFORM", 16),
    row(0x101, "GUEST_POLICY", 16),
    row(0x102, "RELOCATABLE_REGION", 48),
    row(0x103, "PAGE_TABLE_RELOCATION_REGION", 32),
    row(0x104, "CORIM_DOCUMENT", 16),
    row(0x105, "CORIM_SIGNATURE", 16),
    row(0x106, "CCA_POLICY", 32),
    row(0x301, "PARAMETER_AREA", 16),
    row(0x302, "PAGE_DATA", 24),
    row(0x303, "PARAMETER_INSERT", 16),
    row(0x304, "VP_CONTEXT", 20),
    row(0x305, "REQUIRED_MEMORY", 24),
    row(0x30b, "SNP_ID_BLOCK", 696),
    row(0x30d, "ERROR_RANGE", 16),
    row(0x311, "VBS_MEASUREMENT", 864),
    ...PARAMETER_TYPES,
  ].map((entry) => [entry.type, entry]),
);

/** The type with this number, or undefined when we know none. */
export function headerType(type: number): IgvmHeaderType | undefined {
  return TYPES.get(type);
}
