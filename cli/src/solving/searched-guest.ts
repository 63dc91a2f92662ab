/**
 * The guest that the options name, as something to search: files read, what is not given left open.
 * @module
 */
import { cpuModelSignature, cpuSignature } from "@bootproof/measure/snp";
import type { CpuGuess, Match, Space } from "@bootproof/measure/solve";

import type { GuestFiles, GuestInput } from "../measuring/guest-files.ts";
import type { CpuGiven, GuestRequest } from "../measuring/guest-request.ts";

/** An input that could not be varied, and why. */
export interface NotTried {
  readonly what: string;
  readonly why: string;
}

/** What is searched, and how its finds are told. */
export interface SearchedGuest {
  readonly platform: string;
  readonly space: Space;
  readonly inputs: readonly GuestInput[];
  readonly notTried: readonly NotTried[];
  /** Known digests that are no launch digests (hex), and what they are. */
  readonly mistaken: ReadonlyMap<string, string>;
  /** The words after `measure` that measure a match; undefined where nobody measures that way. */
  words(match: Match): Promise<readonly string[] | undefined>;
  /** A match's inputs for documents. */
  describe(match: Match): object;
}

/** What is known besides a request. */
export interface Known {
  /** CPUID signature of the machine, where a report names it. */
  readonly reportedCpu: number | undefined;
  /** Whether the digest's length alone says which platform it is. */
  readonly platformOpen: boolean;
}

/** Reads the files of a request and makes what is searched of them. */
export async function searchedGuest(
  request: GuestRequest,
  files: GuestFiles,
  known: Known,
): Promise<SearchedGuest> {
  if (request.igvm !== undefined)
    return (await import("./igvm-guest.ts")).searchedIgvm(request, request.igvm, files, known);
  return (await import("./ovmf-guest.ts")).searchedOvmf(request, files, known);
}

/** The only one of several values; of several that the user holds possible, none is given. */
export const only = <Value>(values: readonly Value[]): Value | undefined =>
  values.length === 1 ? values[0] : undefined;

/** A CPU as it is measured; undefined when it is not given, or given in part: then it is searched. */
export function givenCpu(cpus: readonly CpuGiven[]): CpuGuess | undefined {
  const { cpu, vcpuSig, family, model, stepping } = only(cpus) ?? {};
  if (cpu !== undefined) return { model: cpu, signature: cpuModelSignature(cpu) };
  if (vcpuSig !== undefined) return { signature: vcpuSig };
  if (family === undefined || model === undefined || stepping === undefined) return undefined;
  return { signature: cpuSignature({ family, model, stepping }) };
}

/** The options that name a CPU. */
export function cpuWords({ model, signature }: CpuGuess): string[] {
  return model === undefined ? ["--vcpu-sig", `0x${signature.toString(16)}`] : ["--vcpu-type", model];
}
