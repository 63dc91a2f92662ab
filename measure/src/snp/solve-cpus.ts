/**
 * CPU signatures that a VMSA may hold: those of QEMU's models, of silicon under `-cpu host`, and their neighbours.
 * @module
 */
import type { Axis, Candidate } from "../solve/axis.ts";
import { CPU_MODELS, cpuModelSignature, cpuSignature } from "./cpu-models.ts";

/** A CPU as it is measured, with QEMU's name for it where there is one. */
export interface CpuGuess {
  readonly signature: number;
  readonly model?: string | undefined;
}

/** What `-cpu host` shows of processors that run SNP or SEV-ES guests. AMD's revision guides. */
const SILICON: readonly (readonly [name: string, family: number, model: number, stepping: number])[] = [
  ["Naples B1", 23, 1, 1],
  ["Rome", 23, 49, 0],
  ["Milan B0", 25, 1, 0],
  ["Milan B1", 25, 1, 1],
  ["Milan-X", 25, 1, 2],
  ["Genoa", 25, 17, 1],
  ["Genoa-X", 25, 17, 2],
  ["Bergamo A1", 25, 160, 1],
  ["Bergamo or Siena", 25, 160, 2],
  ["Turin B0", 26, 2, 0],
  ["Turin", 26, 2, 1],
  ["Turin C2", 26, 2, 2],
  ["Turin Dense", 26, 17, 0],
  ["Turin Dense B1", 26, 17, 1],
];

const HOST = "with -cpu host (or max) the guest has the signature of the machine it runs on";

/** The signatures to try; without a given one the axis is open and starts with the likeliest model. */
export function cpuAxis(given: CpuGuess | undefined, reported: number | undefined): Axis<CpuGuess> {
  const known = knownCpus(reported);
  const named = given === undefined ? undefined : { value: given, label: label(given) };
  const start = named === undefined ? known : [{ ...named, surprise: 0 }, ...known];
  const seen = new Set<number>();
  const candidates = start.filter(({ value: { signature } }) => !seen.has(signature) && seen.add(signature));
  const [likeliest, ...others] = candidates;
  if (likeliest === undefined) throw new RangeError("no CPU is known");
  return {
    name: "cpu",
    standing: given === undefined ? "open" : "given",
    candidates: [likeliest, ...others],
  };
}

function knownCpus(reported: number | undefined): Candidate<CpuGuess>[] {
  const ofReport: Candidate<CpuGuess>[] =
    reported === undefined
      ? []
      : [
          {
            value: { signature: reported },
            label: `CPU signature ${hex(reported)}, the report's own`,
            surprise: 1,
            cause: HOST,
          },
        ];
  return [...ofReport, ...models(), ...silicon(), ...unset(), ...neighbours()];
}

/** One candidate a signature: versions of a model never change it. */
function models(): Candidate<CpuGuess>[] {
  return CPU_MODELS.map((model) => ({
    value: { signature: cpuModelSignature(model), model },
    label: label({ signature: cpuModelSignature(model), model }),
    surprise: model.startsWith("EPYC") ? 1 : 3,
    cause: "the model in -cpu decides, not the processor that the machine has",
  }));
}

function silicon(): Candidate<CpuGuess>[] {
  return SILICON.map(([name, family, model, stepping]) => {
    const signature = cpuSignature({ family, model, stepping });
    return {
      value: { signature },
      label: `CPU signature ${hex(signature)} (${name})`,
      surprise: 2,
      cause: HOST,
    };
  });
}

function unset(): Candidate<CpuGuess>[] {
  return [
    {
      value: { signature: 0x600 },
      label: "CPU signature 0x600",
      surprise: 3,
      cause: "RDX keeps KVM's reset value when the vCPU is reset before its CPUID is set",
    },
    {
      value: { signature: 0 },
      label: "CPU signature 0x0",
      surprise: 4,
      cause: "no processor has it",
      tool: "sev-snp-measure-go (it warns of a CPU type that it does not know, and goes on with signature 0)",
    },
  ];
}

/** Every stepping of the families and models above. */
function neighbours(): Candidate<CpuGuess>[] {
  const bases = new Set(
    [...models(), ...silicon()].map(({ value }) => value.signature - (value.signature % 16)),
  );
  return [...bases].flatMap((base) =>
    Array.from({ length: 16 }, (_, stepping) => ({
      value: { signature: base + stepping },
      label: `CPU signature ${hex(base + stepping)}`,
      surprise: 5,
      rare: true,
      cause: "a stepping of its own, set by the silicon or by family, model and stepping in -cpu",
    })),
  );
}

function label({ model, signature }: CpuGuess): string {
  return model === undefined ? `CPU signature ${hex(signature)}` : `CPU ${model} (${hex(signature)})`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
