/**
 * All readings of one file beside each other, and in words where they part.
 * @module
 */
import { formatHex, ParseError } from "@bootproof/bytes";
import type { IgvmDirective } from "@bootproof/ovmf/igvm";
import { MeasureError } from "../measure-error.ts";
import { compareVmsas, formatFieldDifference } from "../snp/describe-vmsa.ts";
import { igvmDigest } from "./igvm-digest.ts";
import { headerLabel, type IgvmGuest } from "./igvm-guest.ts";
import { type Processors, processorSteps } from "./igvm-processors.ts";
import { directiveStep, type IgvmStep, igvmSteps, stepLabel } from "./igvm-steps.ts";
import { refuseUnlaunchable } from "./refuse.ts";
import { IGVM_READINGS, type IgvmReading, type IgvmReadingName } from "./readings.ts";

/** What one reading answers. */
export interface ReadingAnswer {
  readonly reading: IgvmReadingName;
  readonly title: string;
  /** Lower-case hex; undefined when the reading refuses the file. */
  readonly launchDigest: string | undefined;
  readonly refusal: string | undefined;
  /** Code of the refusal. */
  readonly refusalCode: string | undefined;
  /** Where it parts from the reading it is compared with; empty when the digests are equal. */
  readonly differences: readonly ReadingDifference[];
}

/** One directive, or one processor, that two readings treat differently. */
export interface ReadingDifference {
  /** Index of the header; undefined for a processor that no header describes. */
  readonly header: number | undefined;
  readonly message: string;
}

/** A refusal or a digest. */
type ReadingOutcome = Pick<ReadingAnswer, "launchDigest" | "refusal" | "refusalCode">;

/** More would be a list nobody reads; the count of the rest is named. */
const MAX_DIFFERENCES = 8;

/** What every reading answers, compared with `against`. */
export function compareReadings(
  guest: IgvmGuest,
  processors: Processors,
  against: IgvmReading,
): ReadingAnswer[] {
  const base = readingOutcome(guest, against, processors);
  return IGVM_READINGS.filter(({ platforms }) => platforms.includes(guest.platform)).map((reading) => {
    const outcome = reading === against ? base : readingOutcome(guest, reading, processors);
    const comparable = base.launchDigest !== undefined && outcome.launchDigest !== undefined;
    return {
      reading: reading.name,
      title: reading.title,
      ...outcome,
      differences:
        comparable && base.launchDigest !== outcome.launchDigest
          ? readingDifferences(guest, processors, against, reading)
          : [],
    };
  });
}

/** The digest of one reading, or why it has none. */
function readingOutcome(guest: IgvmGuest, reading: IgvmReading, processors: Processors): ReadingOutcome {
  try {
    refuseUnlaunchable(guest, reading, processors);
    const launchDigest = formatHex(igvmDigest(guest, reading, processors));
    return { launchDigest, refusal: undefined, refusalCode: undefined };
  } catch (error) {
    if (!(error instanceof MeasureError) && !(error instanceof ParseError)) throw error;
    const found = error instanceof MeasureError && error.found !== undefined ? `: ${error.found}` : "";
    return { launchDigest: undefined, refusal: `${error.message}${found}`, refusalCode: error.code };
  }
}

/** Where two readings part: what each makes of a directive or processor, or else in which order. */
function readingDifferences(
  guest: IgvmGuest,
  processors: Processors,
  one: IgvmReading,
  other: IgvmReading,
): ReadingDifference[] {
  const found: ReadingDifference[] = [];
  let rest = 0;
  for (const [a, b] of pairedSteps(guest, processors, one, other)) {
    // A file can differ in 100,000 pages: more than the first few are counted and not described.
    if (found.length < MAX_DIFFERENCES) {
      const message = stepDifference(guest, a, b, one, other);
      if (message !== undefined) found.push({ header: (a ?? b)?.header?.index, message });
    } else if (differ(guest, a, b, one, other)) rest++;
  }
  if (found.length === 0) return [orderDifference(guest, processors, one, other)];
  return rest === 0 ? found : [...found, { header: undefined, message: `and ${rest} more like these` }];
}

type StepPair = readonly [IgvmStep | undefined, IgvmStep | undefined];

/** What two readings measure of each directive in file order, then of processors that no directive describes. */
function* pairedSteps(
  guest: IgvmGuest,
  processors: Processors,
  one: IgvmReading,
  other: IgvmReading,
): Generator<StepPair> {
  const [ofOne, ofOther] = [one, other].map((reading) => stepsOfProcessors(guest, reading, processors));
  if (ofOne === undefined || ofOther === undefined) return;
  for (const header of guest.file.directives) {
    const a = ofOne.described.get(header) ?? directiveStep(guest, one, header);
    const b = ofOther.described.get(header) ?? directiveStep(guest, other, header);
    if (a !== undefined || b !== undefined) yield [a, b];
  }
  for (const vcpu of new Set([...ofOne.inReset.keys(), ...ofOther.inReset.keys()]))
    yield [ofOne.inReset.get(vcpu), ofOther.inReset.get(vcpu)];
}

interface ProcessorMap {
  readonly described: ReadonlyMap<IgvmDirective, IgvmStep>;
  readonly inReset: ReadonlyMap<number, IgvmStep>;
}

function stepsOfProcessors(guest: IgvmGuest, reading: IgvmReading, processors: Processors): ProcessorMap {
  const described = new Map<IgvmDirective, IgvmStep>();
  const inReset = new Map<number, IgvmStep>();
  if (reading.contexts === "each processor, last")
    for (const step of processorSteps(guest, processors))
      if (step.header === undefined) inReset.set(step.vcpu ?? 0, step);
      else described.set(step.header, step);
  return { described, inReset };
}

const differ = (...args: Parameters<typeof stepDifference>): boolean => stepDifference(...args) !== undefined;

function stepDifference(
  { platform }: IgvmGuest,
  a: IgvmStep | undefined,
  b: IgvmStep | undefined,
  one: IgvmReading,
  other: IgvmReading,
): string | undefined {
  const step = a ?? b;
  if (step === undefined) return undefined;
  const name = originOf(step);
  const say = (x: string, y: string): string => `${name}: ${one.name} ${x}, ${other.name} ${y}`;
  if (a === undefined || b === undefined)
    return say(
      a === undefined ? "leaves it out" : "measures it",
      b === undefined ? "leaves it out" : "measures it",
    );
  const [whatA, whatB] = [shown(a), shown(b)];
  if (whatA !== whatB) return say(`measures ${whatA}`, whatB);
  if (a.type === "VMSA") return vmsaDifference(name, a, b, one, other);
  if (platform !== "snp" && one.sevEmptyPages !== other.sevEmptyPages && a.bytes.length === 0)
    return say(`hashes ${one.sevEmptyPages}`, `hashes ${other.sevEmptyPages}`);
  return undefined;
}

function shown({ type, pages, guestAddress, bytes }: IgvmStep): string {
  const what = type === "NORMAL" && bytes.length === 0 ? "NORMAL with zero content" : type;
  return `${pages === 1 ? "one page" : `${pages} pages`} ${what} at 0x${guestAddress.toString(16)}`;
}

function vmsaDifference(
  name: string,
  a: IgvmStep,
  b: IgvmStep,
  one: IgvmReading,
  other: IgvmReading,
): string | undefined {
  const [first, ...rest] = compareVmsas(a.bytes, b.bytes);
  if (first === undefined) return undefined;
  const more = rest.length === 0 ? "" : `, and ${rest.length} more`;
  return `${name}: the VMSAs of ${one.name} and ${other.name} differ in ${formatFieldDifference(first)}${more}`;
}

function orderDifference(
  guest: IgvmGuest,
  processors: Processors,
  one: IgvmReading,
  other: IgvmReading,
): ReadingDifference {
  const others = igvmSteps(guest, other, processors);
  for (const a of igvmSteps(guest, one, processors)) {
    const next = others.next();
    const b = next.done === true ? undefined : next.value;
    if (a.header === b?.header && a.vcpu === b?.vcpu) continue;
    const message = `the order differs: ${one.name} measures ${originOf(a)} where ${other.name} measures ${originOf(b)}`;
    return { header: a.header?.index, message };
  }
  return { header: undefined, message: `${one.name} and ${other.name} differ` };
}

const originOf = (step: IgvmStep | undefined): string =>
  step === undefined ? "nothing" : step.header === undefined ? stepLabel(step) : headerLabel(step.header);
