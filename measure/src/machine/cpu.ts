/**
 * -cpu: the model, and what overrides the signature that it gives. Flags are not measured: CPUID pages are not hashed.
 * @module
 */
import { type CpuIdentity, CPU_MODELS, cpuModelSignature } from "../snp/cpu-models.ts";
import type { MachineCpu } from "./description.ts";
import { parseNumber } from "./values.ts";

/** What the machine types pc and q35 start with when no -cpu is given. */
export const DEFAULT_CPU = "qemu64";

/** Stands for what libvirt's host-model becomes at start: a name that no model of QEMU's has. */
export const HOST_MODEL = "host-model";

const LIMITS = { family: 0xf + 0xff, model: 0xff, stepping: 0xf } as const;

/** The CPU of a -cpu argument, and the part that fixes no signature if there is one. */
export function parseCpu(argument: string): { cpu: MachineCpu; open?: string } {
  const [name = "", ...flags] = argument.split(",");
  const given: { -readonly [K in keyof CpuIdentity]?: number } = {};
  for (const flag of flags) {
    const [, key, value] = /^(family|model|stepping)=(.*)$/s.exec(flag) ?? [];
    if (key === "family" || key === "model" || key === "stepping")
      given[key] = Number(parseNumber(value ?? "", `-cpu ${key}`, BigInt(LIMITS[key])));
  }
  const { family, model, stepping } = { ...modelIdentity(name), ...given };
  const host = name === "host" || name === "max" || name === HOST_MODEL;
  if (Object.keys(given).length === 0) return { cpu: { kind: host ? "host" : "model", name } };
  if (family !== undefined && model !== undefined && stepping !== undefined)
    return { cpu: { kind: "identity", name, family, model, stepping } };
  return { cpu: { kind: host ? "host" : "model", name }, open: Object.keys(given).join(", ") };
}

/** Family, model and stepping of a model that we know. */
function modelIdentity(name: string): Partial<CpuIdentity> {
  if (!CPU_MODELS.includes(name)) return {};
  const signature = cpuModelSignature(name);
  return {
    family: ((signature >> 8) & 0xf) + ((signature >> 20) & 0xff),
    model: ((signature >> 4) & 0xf) | ((signature >> 12) & 0xf0),
    stepping: signature & 0xf,
  };
}
