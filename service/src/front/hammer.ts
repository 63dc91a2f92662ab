/**
 * `POST /add` as the load test of Tessera asks it: any bytes in, the decimal index out. Whoever can reach it can fill the
 * log, so it is there only when asked for.
 * @module
 */
import { MAX_ENTRY_LENGTH } from "@bootproof/log";

import { TEXT } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import type { Sequencer } from "../sequencing/sequencer.ts";
import type { LogMetrics } from "../operating/log-metrics.ts";

/** The route of `/add`. */
export function hammerRoute(sequencer: Sequencer, metrics: LogMetrics): Route {
  return {
    name: "add",
    method: "POST",
    answer: async (asked) => {
      const entry = await asked.body(MAX_ENTRY_LENGTH);
      const start = performance.now();
      const { index } = await sequencer.submit(entry);
      metrics.published.observe((performance.now() - start) / 1000);
      return { status: 200, type: TEXT, body: String(index) };
    },
  };
}
