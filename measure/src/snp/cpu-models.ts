/**
 * QEMU's AMD CPU models and the CPUID signature (function 1, EAX) that each puts into the VMSA.
 * Source: query-cpu-model-expansion on QEMU 11.1.3. Versions of a model never change its signature.
 * @module
 */
import { MeasureError } from "../measure-error.ts";

/** Family, model and stepping as CPUID counts them (extended parts added). */
export interface CpuIdentity {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

interface ModelLine extends CpuIdentity {
  readonly base: string;
  readonly versions: number;
  readonly aliases?: readonly string[];
}

const LINES: readonly ModelLine[] = [
  {
    base: "EPYC",
    versions: 5,
    aliases: ["EPYC-IBPB"],
    family: 23,
    model: 1,
    stepping: 2,
  },
  { base: "EPYC-Rome", versions: 5, family: 23, model: 49, stepping: 0 },
  { base: "EPYC-Milan", versions: 4, family: 25, model: 1, stepping: 1 },
  { base: "EPYC-Genoa", versions: 3, family: 25, model: 17, stepping: 0 },
  { base: "EPYC-Turin", versions: 2, family: 26, model: 0, stepping: 0 },
  { base: "Dhyana", versions: 2, family: 24, model: 0, stepping: 1 },
  { base: "qemu64", versions: 0, family: 15, model: 107, stepping: 1 },
];

const MODELS: ReadonlyMap<string, ModelLine> = new Map(
  LINES.flatMap((line) => {
    const versions = Array.from({ length: line.versions }, (_, index) => `${line.base}-v${index + 1}`);
    return [line.base, ...versions, ...(line.aliases ?? [])].map((name) => [name, line] as const);
  }),
);

/** Every CPU model name that {@link cpuModelSignature} knows. */
export const CPU_MODELS: readonly string[] = [...MODELS.keys()];

/** CPUID function 1 EAX of a family, model and stepping; throws {@link MeasureError}. */
export function cpuSignature({ family, model, stepping }: CpuIdentity): number {
  inRange("CPU family", family, 0xf + 0xff);
  inRange("CPU model", model, 0xff);
  inRange("CPU stepping", stepping, 0xf);
  const baseFamily = Math.min(family, 0xf);
  const extendedFamily = family - baseFamily;
  return (extendedFamily << 20) | ((model >> 4) << 16) | (baseFamily << 8) | ((model & 0xf) << 4) | stepping;
}

/** The signature of a QEMU model name (case as QEMU spells it); throws {@link MeasureError} for any other name. */
export function cpuModelSignature(name: string): number {
  const line = MODELS.get(name);
  if (line === undefined) throw unknownModel(name);
  return cpuSignature(line);
}

/** What people get wrong about this model name, if anything. */
export function cpuModelTrap(name: string): string | undefined {
  const line = MODELS.get(name);
  // EPYC-v4 is read as "fourth generation" and is the fourth revision of the first.
  if (line?.base !== "EPYC" || !/-v[2-9]$/.test(name)) return undefined;
  return `${name} is a version of QEMU's first EPYC model (Naples, family 23), not a later generation; those are EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin`;
}

function unknownModel(name: string): MeasureError {
  const match = CPU_MODELS.find((model) => model.toLowerCase() === name.toLowerCase());
  const hint = ["host", "max"].includes(name.toLowerCase())
    ? "with -cpu host or max the signature is the silicon's: give it as a signature or as family, model and stepping"
    : match === undefined
      ? `known models: ${LINES.map(lineNames).join(", ")}`
      : `did you mean ${match}?`;
  return new MeasureError("BP-SNP-002", "unknown CPU model", { found: name, hint });
}

const lineNames = ({ base, versions, aliases = [] }: ModelLine): string =>
  [versions === 0 ? base : `${base}[-v1..v${versions}]`, ...aliases].join(", ");

function inRange(what: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new MeasureError("BP-SNP-003", `${what} out of range`, {
      expected: `0 to ${max}`,
      found: `${value}`,
    });
}
