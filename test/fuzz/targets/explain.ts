/**
 * Explanations of images and traces beside mutations of them: whatever differs is named, nothing is named that does not,
 * and a trace is believed exactly when it leads to its own registers.
 * @module
 */
import { formatHex, utf8 } from "@bootproof/bytes";
import {
  type Explanation,
  formatTraceStep,
  type LaunchDocument,
  MEASUREMENT_SCHEMA,
  parseLaunchDocument,
  sideOfDocument,
} from "@bootproof/measure";
import { explain as explainSides, firmwareSide, measuredSide, TRACE_RULES } from "@bootproof/measure/explain";
import { measureSnp } from "@bootproof/measure/snp";
import { mutateBytes, mutateFirmware } from "../mutate.ts";
import type { Random } from "../random.ts";
import { attempt, type Case, Complaint, documented, type Outcome, type Target } from "../target.ts";
import { IMAGES } from "./snp.ts";

const SHAPE = { vcpus: 2, cpu: "EPYC-v4" };

/** A trace of each image that launches. */
const TRACES: readonly Uint8Array<ArrayBuffer>[] = IMAGES.flatMap((firmware) => {
  const measured = attempt(documented, () => measureSnp({ firmware }, SHAPE));
  if (measured === undefined) return [];
  const { platform, shape, registers } = measured;
  const events = Array.from(measured.trace(), formatTraceStep);
  return [utf8(JSON.stringify({ schema: MEASUREMENT_SCHEMA, platform, shape, registers, events }))];
});

/** Images and traces through the comparison. */
export const explain: Target = {
  name: "explain",
  about: "pairs of images and traces through parseLaunchDocument and explain",
  // Two launches of 64 MiB of sections are 40,000 events: a tenth of a second on an idle machine.
  limit: 2000,
  makeCase: (random) => (random.below(2) === 0 ? imageCase(random) : traceCase(random)),
};

function imageCase(random: Random): Case {
  const image = random.pick(IMAGES);
  const bytes = mutateFirmware(image.slice(), random, IMAGES);
  const alone = random.below(2) === 0;
  const side = (firmware: Uint8Array): ReturnType<typeof firmwareSide> =>
    alone ? firmwareSide(firmware) : measuredSide("snp", { firmware }, SHAPE);
  return {
    bytes,
    given: `an image and its mutation, ${alone ? "alone" : "in a shape"}`,
    // No error is documented: what cannot launch is a side too.
    run: () =>
      attempt(
        () => false,
        () => explainSides(side(image), side(bytes)),
      ),
    judge: (answer) => judgeImages(image, bytes, answer as Explanation),
  };
}

function judgeImages(a: Uint8Array, b: Uint8Array, { verdict, first, problems }: Explanation): Outcome {
  const equal = formatHex(a) === formatHex(b);
  const neither = problems?.a !== undefined && problems.b !== undefined;
  const right = neither ? "undecided" : equal ? "same" : "differs";
  if (verdict !== right) throw new Complaint(`${verdict} where ${right} is right`);
  if (equal !== (first === undefined))
    throw new Complaint(equal ? "names a difference" : "names no difference");
  return problems === undefined ? "accepted" : "refused";
}

function traceCase(random: Random): Case {
  const trace = random.pick(TRACES);
  const bytes = mutateBytes(trace.slice(), random, TRACES);
  return {
    bytes,
    given: "a trace and its mutation",
    run: () =>
      attempt(documented, () => {
        const [a, b] = [trace, bytes].map((document) => parseLaunchDocument(document, TRACE_RULES));
        if (a === undefined || b === undefined) throw new RangeError("two documents are parsed");
        return { a, b, explanation: explainSides(sideOfDocument(a), sideOfDocument(b)) };
      }),
    judge: (answer) => judgeTraces(answer as Compared | undefined),
  };
}

interface Compared {
  readonly a: LaunchDocument;
  readonly b: LaunchDocument;
  readonly explanation: Explanation;
}

function judgeTraces(answer: Compared | undefined): Outcome {
  if (answer === undefined) return "refused";
  const { a, b, explanation } = answer;
  const equal = a.platform === b.platform && JSON.stringify(a.registers) === JSON.stringify(b.registers);
  if (explanation.verdict !== (equal ? "same" : "differs"))
    throw new Complaint(`${explanation.verdict} of registers that are ${equal ? "" : "not "}equal`);
  // Equal registers of equal starts come from equal events: all else would be a collision of SHA-384.
  const unequal = explanation.events?.groups.filter(({ kind }) => kind !== "reordered") ?? [];
  if (equal && a.start === b.start && b.events !== undefined && unequal.length > 0)
    throw new Complaint(`other events lead to the same registers: ${JSON.stringify(unequal[0])}`);
  return "accepted";
}
