/**
 * A log over HTTP: its public files, submissions, and what its operator needs to know.
 * @module
 */
import { sha256 } from "@bootproof/bytes";
import type { FetchObject } from "@bootproof/log";

import { HEALTH, readiness } from "./front/health.ts";
import { hammerRoute } from "./front/hammer.ts";
import { StaticFiles } from "./front/static-files.ts";
import { refuseAsJson, refuseAsText } from "./http/answer.ts";
import { startServer, type Address, type Answered, type Route, type RunningServer } from "./http/frame.ts";
import { LogMetrics } from "./operating/log-metrics.ts";
import { METRICS_TYPE } from "./operating/metrics.ts";
import type { Journal } from "./operating/journal.ts";
import type { Sequencer } from "./sequencing/sequencer.ts";

export { Journal, type Level } from "./operating/journal.ts";
export { LocalSequencer, type LocalSequencerOptions } from "./sequencing/local-sequencer.ts";
export type { OpenedLog } from "./sequencing/opened-log.ts";
export type { Sequenced, Sequencer, SequencerStatus } from "./sequencing/sequencer.ts";
export type { Address, RunningServer } from "./http/frame.ts";

/** What is served. */
export interface LogService {
  readonly sequencer: Sequencer;
  /** Reads the log's public files. */
  readonly fetch: FetchObject;
  /** What makes two entries the same; by default their bytes. */
  readonly identityOf?: (entry: Uint8Array) => Uint8Array;
  /** Whether `/add` takes any entry from anyone. */
  readonly hammer: boolean;
  /** Where requests are told; nowhere by default. */
  readonly journal?: Journal | undefined;
}

/** Starts to listen; rejects when the address cannot be had. Stopping it stops the sequencer too. */
export async function serveLog(service: LogService, address: Address): Promise<RunningServer> {
  const { sequencer, journal } = service;
  const front = new LogFront(service);
  const server = await startServer(
    {
      route: (path) => front.route(path),
      refuse: (refusal, path) => (path.startsWith("/v1/") ? refuseAsJson(refusal) : refuseAsText(refusal)),
      answered: (answered) => front.answered(answered),
    },
    address,
  );
  return {
    url: server.url,
    stop: async (grace) => {
      // At the same time: who waits for an entry is answered when it is public, and then the connections end.
      await Promise.all([server.stop(grace), sequencer.stop()]);
      journal?.flush();
    },
  };
}

class LogFront {
  readonly #files: StaticFiles;
  readonly #metrics: LogMetrics;
  readonly #journal: Journal | undefined;
  readonly #routes = new Map<string, Route>();

  constructor({ fetch, sequencer, journal, hammer, identityOf = sha256 }: LogService) {
    this.#files = new StaticFiles(fetch);
    this.#metrics = new LogMetrics(sequencer, () => this.#files.knownSize);
    this.#journal = journal;
    const routes = this.#routes;
    routes.set("/healthz", HEALTH);
    routes.set("/readyz", readiness(sequencer));
    routes.set("/metrics", {
      name: "metrics",
      method: "GET",
      answer: async () => {
        await this.#files.size();
        return { status: 200, type: METRICS_TYPE, body: this.#metrics.format() };
      },
    });
    if (hammer) routes.set("/add", hammerRoute(sequencer, this.#metrics, identityOf));
  }

  route(path: string): Route | undefined {
    return this.#routes.get(path) ?? this.#files.route(path);
  }

  answered(answered: Answered): void {
    this.#metrics.answered(answered);
    this.#journal?.answered(answered);
  }
}
