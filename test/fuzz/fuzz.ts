/**
 * Runs many cases of a target and watches over time and memory.
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Random } from "./random.ts";
import { type Case, Complaint, type Target } from "./target.ts";

/** What a run may need above its largest input. */
export const MEMORY_LIMIT: number = 64 * 2 ** 20;
/** Cases between two looks at memory. */
const BATCH = 1000;

/** Which cases to run. */
export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first case. */
  readonly first: number;
  readonly count: number;
  /** Where failing cases are kept. */
  readonly folder: string;
  /** Failures after which a run ends early. */
  readonly patience: number;
  readonly onProgress?: (done: number, failed: number) => void;
}

/** A case that failed. */
export interface FuzzFailure {
  readonly index: number;
  readonly given: string;
  readonly message: string;
  readonly file: string;
}

/** How a run went. */
export interface FuzzResult {
  readonly passed: number;
  readonly failed: number;
  /** Cases with an answer, out of those that passed. */
  readonly accepted: number;
  readonly failures: readonly FuzzFailure[];
  readonly slowest: { readonly index: number; readonly milliseconds: number };
  /** Bytes of memory above what the process had before the first case, at worst, without the largest input. */
  readonly growth: number;
}

/** Runs cases `first` to `first + count - 1` of a target. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzResult> {
  const { seed, first, count, patience } = options;
  const failures: FuzzFailure[] = [];
  const slowest = { index: first, milliseconds: 0 };
  let [accepted, passed, largest] = [0, 0, 0];
  const before = peakMemory();
  for (let index = first; index < first + count && failures.length < patience; index++) {
    if (index % BATCH === 0) options.onProgress?.(index - first, failures.length);
    const made = target.makeCase(new Random(seed, index));
    largest = Math.max(largest, made.bytes.length);
    const start = performance.now();
    try {
      const answer = await made.run();
      const took = performance.now() - start;
      if (took > slowest.milliseconds) Object.assign(slowest, { index, milliseconds: took });
      if (took > target.limit) await again(made, target.limit);
      if (made.judge(answer) === "accepted") accepted++;
      passed++;
    } catch (error) {
      failures.push(keep(target, options, { index, made, error }));
    }
  }
  const growth = Math.max(0, peakMemory() - before - largest);
  return { passed, failed: failures.length, accepted, failures, slowest, growth };
}

/** A case that took long on a busy machine is no slow case: it has to take long three times more. */
async function again(made: Case, limit: number): Promise<void> {
  let best = Infinity;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    await made.run();
    best = Math.min(best, performance.now() - start);
  }
  if (best > limit) throw new Complaint(`took ${best.toFixed(0)} ms, more than ${limit}`);
}

interface Failed {
  readonly index: number;
  readonly made: Case;
  readonly error: unknown;
}

function keep(target: Target, { folder, seed }: FuzzOptions, { index, made, error }: Failed): FuzzFailure {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${target.name}-${seed}-${index}.bin`);
  writeFileSync(file, made.bytes);
  const message =
    error instanceof Complaint
      ? error.message
      : `the judge itself threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return { index, given: made.given, message, file };
}

/** The most memory this process ever had, in bytes. */
const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;
