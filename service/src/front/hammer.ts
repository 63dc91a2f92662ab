/**
 * `POST /add` as the load test of Tessera asks it: any bytes in, the decimal index out. Whoever can reach it can fill the
 * log, so it is there only when asked for. As there, an entry is answered once its index is durable; the checkpoint
 * follows. In its usual form a request goes a short way and into no journal.
 * @module
 */
import { MAX_ENTRY_LENGTH } from "@bootproof/log";

import { messageOf, Refused, TEXT } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import type { PlainAnswer, PlainPost } from "../http/plain-post.ts";
import type { LogMetrics } from "../operating/log-metrics.ts";
import type { Sequencer } from "../sequencing/sequencer.ts";

const PATH = "/add";
const NAME = "add";

/** Both ways to `/add`. */
export interface Hammer {
  readonly path: string;
  readonly route: Route;
  readonly plainPost: PlainPost;
}

/** Takes any entry from anyone. */
export function openHammer(sequencer: Sequencer, metrics: LogMetrics): Hammer {
  const add = async (entry: Uint8Array): Promise<string> => {
    const start = performance.now();
    const { index } = await sequencer.sequence(entry);
    metrics.sequenced.observe((performance.now() - start) / 1000);
    return String(index);
  };
  const route: Route = {
    name: NAME,
    method: "POST",
    answer: async (asked) => ({
      status: 200,
      type: TEXT,
      body: await add(await asked.body(MAX_ENTRY_LENGTH)),
    }),
  };
  const plainPost: PlainPost = {
    path: PATH,
    limit: MAX_ENTRY_LENGTH,
    answer: (entry, done) => {
      const answer = (plain: PlainAnswer): void => {
        metrics.answered({ method: "POST", route: NAME, status: plain.status, ms: 0, bytes: 0 });
        done(plain);
      };
      add(entry).then(
        (body) => answer({ status: 200, reason: "OK", body }),
        (error: unknown) => answer(refusedPlainly(error)),
      );
    },
  };
  return { path: PATH, route, plainPost };
}

function refusedPlainly(error: unknown): PlainAnswer {
  const { status, message, retryAfter } =
    error instanceof Refused
      ? error.refusal
      : { status: 500, message: messageOf(error), retryAfter: undefined };
  const headers = retryAfter === undefined ? "" : `retry-after: ${String(retryAfter)}\r\n`;
  return { status, reason: "Refused", body: `${message}\n`, headers };
}
