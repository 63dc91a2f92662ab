/**
 * Everything that a search for the launch digest of an SNP guest with an IGVM file can try: how the file is read, the
 * number of vCPUs, and the CPU of those that the file does not describe.
 * @module
 */
import { equalBytes, formatHex, ParseError, sha384, type Sha384 } from "@bootproof/bytes";
import { type IgvmFile, parseIgvm } from "@bootproof/ovmf/igvm";
import { MeasureError } from "../measure-error.ts";
import { extendPage } from "../snp/page-info.ts";
import { MAX_VCPUS } from "../snp/shape.ts";
import { cpuAxis, type CpuGuess } from "../snp/solve-cpus.ts";
import { checkVcpus, vcpuLadder } from "../snp/solve-ladder.ts";
import { type Axis, type Candidate, candidateAt, type Choice } from "../solve/axis.ts";
import type { Climb, Found, Ladder, Refusal, Space } from "../solve/space.ts";
import { igvmDigest } from "./igvm-digest.ts";
import { type IgvmGuest, openGuest } from "./igvm-guest.ts";
import { contextsByProcessor, type Processors, processorSteps } from "./igvm-processors.ts";
import { IGVM_READINGS, igvmReading, type IgvmReading } from "./readings.ts";
import { refuseUnlaunchable } from "./refuse.ts";

/** What the user believes about a guest that boots an IGVM file. */
export interface IgvmClaim {
  readonly igvm: Uint8Array | IgvmFile;
  readonly reading?: string | undefined;
  readonly vcpus?: number | undefined;
  readonly cpu?: CpuGuess | undefined;
  readonly reportedCpu?: number | undefined;
}

/** The inputs of one choice. */
export interface IgvmGuess {
  readonly reading: IgvmReading;
  readonly cpu: CpuGuess;
}

/** The space of one claim. */
export class IgvmSpace implements Space {
  readonly axes: readonly Axis[];
  readonly ladder: Ladder;
  readonly #guest: IgvmGuest;
  readonly #readings;
  readonly #cpu;
  /** How many processors the file describes. */
  readonly #described: number;
  readonly #prefixes = new Map<string, Sha384 | Refusal>();

  /** Throws ParseError for a file that no loader reads, MeasureError for one without SNP and for an unknown reading. */
  constructor({ igvm, reading, vcpus, cpu, reportedCpu }: IgvmClaim) {
    checkVcpus(vcpus);
    this.#guest = openGuest(igvm instanceof Uint8Array ? parseIgvm(igvm) : igvm, "snp");
    this.#described = Math.max(-1, ...contextsByProcessor(this.#guest).keys()) + 1;
    this.#readings = readingAxis(reading);
    this.#cpu = cpuAxis(cpu, reportedCpu);
    this.axes = [this.#readings, this.#cpu];
    this.ladder = vcpuLadder(vcpus);
  }

  climb(choice: Choice): Climb | Refusal {
    const { reading, cpu } = this.guess(choice);
    const prefix = this.#prefix(reading);
    if (prefix instanceof Error) return prefix;
    if (reading.contexts === "in place") return new SingleRung(prefix, this.ladder.given ?? 1);
    return new ProcessorClimb(this.#guest, prefix, { cpu, described: this.#described });
  }

  ignored(choice: Choice, rung: number): ReadonlySet<string> {
    if (this.guess(choice).reading.contexts === "in place")
      return new Set([this.#cpu.name, this.ladder.name]);
    return new Set(rung <= this.#described ? [this.#cpu.name] : []);
  }

  /** The inputs of a choice. */
  guess([reading, cpu]: Choice): IgvmGuess {
    return {
      reading: candidateAt(this.#readings, reading).value,
      cpu: candidateAt(this.#cpu, cpu).value,
    };
  }

  /** The digest before what KVM adds: everything, for readings that find processors in the file. */
  #prefix(reading: IgvmReading): Sha384 | Refusal {
    const known = this.#prefixes.get(reading.name) ?? this.#makePrefix(reading);
    this.#prefixes.set(reading.name, known);
    return known;
  }

  #makePrefix(reading: IgvmReading): Sha384 | Refusal {
    try {
      refuseUnlaunchable(this.#guest, reading, { vcpus: MAX_VCPUS, cpuSignature: 0 });
      return igvmDigest(this.#guest, reading, { vcpus: 0, cpuSignature: undefined }) as Sha384;
    } catch (error) {
      if (error instanceof ParseError || error instanceof MeasureError) return error;
      throw error;
    }
  }
}

function readingAxis(name: string | undefined): Axis<IgvmReading> {
  const given = igvmReading(name ?? IGVM_READINGS[0]?.name ?? "qemu");
  const others = IGVM_READINGS.filter((reading) => reading !== given).map(
    (reading): Candidate<IgvmReading> => ({
      value: reading,
      label: `the file as ${reading.name} reads it`,
      surprise: 2,
      cause: `${reading.title}: ${reading.differs}`,
    }),
  );
  const first = { value: given, label: `the file as ${given.name} reads it`, surprise: 0 };
  return {
    name: "reading",
    standing: name === undefined ? "assumed" : "given",
    candidates: [first, ...others],
  };
}

/** Digests by number of vCPUs: KVM measures a VMSA of each after everything else. */
class ProcessorClimb implements Climb {
  readonly key: string;
  readonly #guest: IgvmGuest;
  readonly #prefix: Sha384;
  readonly #cpuSignature: number;
  readonly #described: number;

  constructor(
    guest: IgvmGuest,
    prefix: Sha384,
    { cpu, described }: { readonly cpu: CpuGuess; readonly described: number },
  ) {
    this.key = `${formatHex(prefix)}/${cpu.signature}`;
    this.#guest = guest;
    this.#prefix = prefix;
    this.#cpuSignature = cpu.signature;
    this.#described = described;
  }

  digest(rung: number): Sha384 {
    let digest = this.#prefix;
    for (const next of this.#digests(rung)) digest = next;
    return digest;
  }

  find(needles: readonly Uint8Array[], rungs: number): Found | undefined {
    let rung = 0;
    for (const digest of this.#digests(rungs)) {
      rung++;
      // QEMU refuses fewer processors than the file describes.
      const needle = needles.findIndex((wanted) => equalBytes(wanted, digest));
      if (needle >= 0 && rung >= this.#described) return { rung, needle };
    }
    return undefined;
  }

  *#digests(vcpus: number): Generator<Sha384> {
    const processors: Processors = { vcpus, cpuSignature: this.#cpuSignature };
    let digest = this.#prefix;
    // Processors in reset state after the first have one page in common.
    let reset: Sha384 | undefined;
    for (const { bytes, guestAddress, header, vcpu } of processorSteps(this.#guest, processors)) {
      const known = header === undefined && vcpu !== 0 ? (reset ??= sha384(bytes)) : undefined;
      digest = extendPage(digest, "VMSA", known ?? sha384(bytes), guestAddress);
      yield digest;
    }
  }
}

/** The one digest of a reading that finds every processor in the file. */
class SingleRung implements Climb {
  readonly key: string;
  readonly #digest: Sha384;
  readonly #rung: number;

  constructor(digest: Sha384, rung: number) {
    this.key = formatHex(digest);
    this.#digest = digest;
    this.#rung = rung;
  }

  digest(): Sha384 {
    return this.#digest;
  }

  find(needles: readonly Uint8Array[]): Found | undefined {
    const needle = needles.findIndex((wanted) => equalBytes(wanted, this.#digest));
    return needle >= 0 ? { rung: this.#rung, needle } : undefined;
  }
}
