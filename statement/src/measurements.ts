/**
 * Predicted registers as a statement carries them: for SNP the launch digest before the VMSAs and each VMSA's digest,
 * from which any vCPU count follows; for other platforms the registers of one shape.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import * as v from "valibot";
import { parseCounts } from "./counts.ts";
import { hex, listOf, type Schema, size, text } from "./schema.ts";
import { type SectionDigest, sectionManifest } from "./section-manifest.ts";

/** VMSA page digests of one CPU signature and feature set. */
export interface VmsaDigests {
  readonly cpuSignature: string;
  readonly guestFeatures: string;
  /** SHA-384 of the boot processor's page. */
  readonly bsp: string;
  /** SHA-384 of every other processor's page. */
  readonly ap: string;
}

/** A firmware in short, as @bootproof/measure writes it: what launch digests are made from besides VMSAs and a kernel. */
export interface FirmwareInShort {
  readonly size: number;
  /** Launch digest after the last firmware page. */
  readonly seed: string;
  readonly resetAddress: string;
  /** Guest address, size and type of each metadata section: `0x800000+0x9000 0x1`. */
  readonly sections: readonly string[];
  /** Guest address and size of the kernel hashes table's area. */
  readonly hashTable?: string | undefined;
}

/** SHA-256 of each part of a direct boot, as the kernel hashes table holds them. */
export interface BootHashes {
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
}

/** All shapes of an SNP guest at once: axes, and what their launch digests are made from. */
export interface SnpMeasurements {
  readonly platform: "snp";
  readonly vmm: string;
  /** The profile's name; absent: the VMM's default at the time. */
  readonly profile?: string | undefined;
  readonly kernelHashes: boolean;
  readonly axes: {
    /** As {@link formatCounts} writes it: `1..8`. */
    readonly vcpus: string;
    readonly cpu: readonly string[];
    readonly guestFeatures: readonly string[];
  };
  readonly reference: {
    /** Launch digest before the first VMSA. */
    readonly prefix: string;
    readonly vmsas: readonly VmsaDigests[];
    /** What the values above, and those of any other shape, are made from. */
    readonly firmware?: FirmwareInShort | undefined;
    readonly kernelHashes?: BootHashes | undefined;
  };
}

/** The registers of one shape of one platform. */
export interface ShapeRegisters {
  readonly platform: string;
  readonly shape: Readonly<Record<string, string>>;
  readonly registers: Readonly<Record<string, string>>;
  /** Of platform nitro: what the image consists of, which its PCRs alone do not say. */
  readonly sections?: readonly SectionDigest[] | undefined;
}

/** One entry of a boot measurement. */
export type PlatformMeasurements = SnpMeasurements | ShapeRegisters;

/** Whether the entry holds a reference with axes and not one shape. */
export const hasAxes = (entry: PlatformMeasurements): entry is SnpMeasurements => "reference" in entry;

const MAX_AXIS = 256;

/** Lower-case names such as `snp` or `cloud-hypervisor`. */
export const lowerName: Schema<string> = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a lower-case name"),
);
const cpuName: Schema<string> = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a CPU model's name"),
);
const hexNumber: Schema<string> = v.pipe(
  v.string(),
  v.regex(/^0x(?:0|[1-9a-f][0-9a-f]{0,15})$/, "a number in lower-case hex without leading zeros"),
);
const same = (value: string): string => value;

const axis = (item: Schema<string>): Schema<string[]> =>
  v.pipe(listOf(item, MAX_AXIS, same), v.minLength(1, "at least one value"));

const counts: Schema<string> = v.pipe(
  text(),
  v.check(
    (input) => reads(() => parseCounts(input, "vcpus")),
    "numbers and ranges in their shortest spelling",
  ),
);

/** edk2 lists seven sections. */
const MAX_SECTIONS = 64;
const ADDRESS = "0x(?:0|[1-9a-f][0-9a-f]{0,7})";
const spelled = (form: string, what: string): Schema<string> =>
  v.pipe(v.string(), v.regex(new RegExp(`^${form}$`), what));

const firmwareInShort: Schema<FirmwareInShort> = v.strictObject({
  size,
  seed: hex(48),
  resetAddress: spelled(ADDRESS, "an address"),
  sections: v.pipe(
    listOf(spelled(`${ADDRESS}\\+${ADDRESS} ${ADDRESS}`, "address+size type"), MAX_SECTIONS, same),
    v.minLength(1, "at least one section"),
  ),
  hashTable: v.optional(spelled(`${ADDRESS}\\+${ADDRESS}`, "address+size")),
});

const snp: Schema<SnpMeasurements> = v.strictObject({
  platform: v.literal("snp"),
  vmm: lowerName,
  profile: v.optional(lowerName),
  kernelHashes: v.boolean(),
  axes: v.strictObject({ vcpus: counts, cpu: axis(cpuName), guestFeatures: axis(hexNumber) }),
  reference: v.strictObject({
    prefix: hex(48),
    vmsas: v.pipe(
      listOf<VmsaDigests>(
        v.strictObject({ cpuSignature: hexNumber, guestFeatures: hexNumber, bsp: hex(48), ap: hex(48) }),
        MAX_AXIS,
        ({ cpuSignature, guestFeatures }) => `${cpuSignature} ${guestFeatures}`,
      ),
      v.minLength(1, "at least one VMSA"),
    ),
    firmware: v.optional(firmwareInShort),
    kernelHashes: v.optional(v.strictObject({ kernel: hex(32), initrd: hex(32), cmdline: hex(32) })),
  }),
});

/** Words of a shape: `vcpus`, `cpu`, `memory`. */
const shapeKey = v.pipe(v.string(), v.regex(/^[a-z][A-Za-z0-9]{0,39}$/, "a shape's word"));

const shapeRegisters: Schema<ShapeRegisters> = v.strictObject({
  platform: lowerName,
  shape: v.record(shapeKey, text()),
  registers: v.pipe(
    v.record(
      v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9]{0,39}$/, "a register's name")),
      v.pipe(
        v.string(),
        v.regex(/^(?:[0-9a-f]{64}|[0-9a-f]{96})$/, "a SHA-256 or SHA-384 in lower-case hex"),
      ),
    ),
    v.check((registers) => Object.keys(registers).length > 0, "at least one register"),
  ),
});

const nitro: Schema<ShapeRegisters> = v.strictObject({
  platform: v.literal("nitro"),
  shape: v.record(shapeKey, text()),
  registers: v.pipe(
    v.record(v.pipe(v.string(), v.regex(/^PCR(?:[0-9]|[12][0-9]|3[01])$/, "a PCR's name")), hex(48)),
    v.check((registers) => Object.keys(registers).length > 0, "at least one register"),
  ),
  sections: v.optional(sectionManifest),
});

/** One entry of `measurements`. */
export const platformMeasurements: Schema<PlatformMeasurements> = v.lazy(
  (input): Schema<PlatformMeasurements> => {
    if (typeof input !== "object" || input === null) return shapeRegisters;
    if ("reference" in input) return snp;
    return "platform" in input && input.platform === "nitro" ? nitro : shapeRegisters;
  },
);

/** Where an entry holds a value that no boot gives: all zero. Such an expected value is a mistake, not a measurement. */
export function zeroValues(entry: PlatformMeasurements): string[] {
  const values: [string, string][] = hasAxes(entry)
    ? referenceValues(entry.reference)
    : [...Object.entries(entry.registers), ...sectionValues(entry.sections ?? [])];
  return values.filter(([, value]) => /^0*$/.test(value)).map(([name]) => `${entry.platform} ${name}`);
}

function referenceValues({
  prefix,
  vmsas,
  firmware,
  kernelHashes,
}: SnpMeasurements["reference"]): [string, string][] {
  const seed: [string, string][] = firmware === undefined ? [] : [["firmware seed", firmware.seed]];
  const hashes = Object.entries(kernelHashes ?? {}) as [string, string][];
  return [
    ["prefix", prefix],
    ...vmsas.flatMap(vmsaValues),
    ...seed,
    ...hashes.map(([part, value]): [string, string] => [`${part} hash`, value]),
  ];
}

const sectionValues = (sections: readonly SectionDigest[]): [string, string][] =>
  sections.map(({ type, sha384 }, index) => [`section ${index} (${type})`, sha384]);

const vmsaValues = ({ cpuSignature, bsp, ap }: VmsaDigests): [string, string][] => [
  [`VMSA ${cpuSignature} bsp`, bsp],
  [`VMSA ${cpuSignature} ap`, ap],
];

function reads(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
