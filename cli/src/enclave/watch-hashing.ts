/**
 * Says how far hashing is, where it takes longer than a glance.
 * @module
 */
import type { Context } from "../frame/context.ts";
import { formatSize } from "../report/table.ts";
import type { HashOptions } from "./hash-eif.ts";

/** Less is hashed before anyone could read how far it is. */
const WORTH_TELLING = 2 ** 28;

/** Runs work that hashes, with a step for it where there is much to hash. */
export async function watchHashing<Result>(
  { progress, signal }: Pick<Context, "progress" | "signal">,
  work: (options: HashOptions) => Promise<Result>,
): Promise<Result> {
  let step: ReturnType<typeof progress.step> | undefined;
  const onProgress = (done: number, total: number): void => {
    if (total < WORTH_TELLING) return;
    step ??= progress.step("hash the image");
    step.update(`${formatSize(done)} of ${formatSize(total)}`);
  };
  try {
    const result = await work({ signal, onProgress });
    step?.done();
    return result;
  } catch (error) {
    step?.failed();
    throw error;
  }
}
