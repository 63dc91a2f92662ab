/**
 * A log over HTTP: its public files, submissions, and what its operator needs to know.
 * @module
 */
import { sha256 } from "@bootproof/bytes";
import type { FetchObject, LogPolicy } from "@bootproof/log";

import { Entries, type EntryAdmission } from "./front/entries.ts";
import { EntryPlaces, type LeafIndex } from "./front/entry-places.ts";
import { PublishedTree } from "./front/published-tree.ts";
import { HEALTH, readiness, type Damage } from "./front/health.ts";
import { hammerRoute } from "./front/hammer.ts";
import { StaticFiles } from "./front/static-files.ts";
import { messageOf, refuseAsJson, refuseAsText, type Answer } from "./http/answer.ts";
import { startServer, type Address, type Answered, type Route, type RunningServer } from "./http/frame.ts";
import { LogMetrics } from "./operating/log-metrics.ts";
import { METRICS_TYPE } from "./operating/metrics.ts";
import type { Journal } from "./operating/journal.ts";
import type { Sequencer } from "./sequencing/sequencer.ts";

export { Journal, type Level } from "./operating/journal.ts";
export { LocalSequencer, type LocalSequencerOptions } from "./sequencing/local-sequencer.ts";
export {
  QueueSequencer,
  type PendingQueue,
  type QueueSequencerOptions,
} from "./sequencing/queue-sequencer.ts";
export type { OpenedLog } from "./sequencing/opened-log.ts";
export type { Sequenced, Sequencer, SequencerStatus } from "./sequencing/sequencer.ts";
export type { AdmittedEntry, EntryAdmission, RefusedEntry } from "./front/entries.ts";
export type { LeafIndex } from "./front/entry-places.ts";
export type { Address, RunningServer } from "./http/frame.ts";

/** What is served. */
export interface LogService {
  readonly sequencer: Sequencer;
  /** Reads the log's public files. */
  readonly fetch: FetchObject;
  readonly origin: string;
  /** The log's keys and its witnesses: what a proof must satisfy before it is handed out. */
  readonly policy: LogPolicy;
  /** Decides what `POST /v1/entries` takes; without it, that takes nothing. */
  readonly admission?: EntryAdmission | undefined;
  /** Finds entries by leaf hash; without it only those that came through here lately are found. */
  readonly leafIndex?: LeafIndex | undefined;
  /** How long a submission waits for its checkpoint, in seconds. */
  readonly wait: number;
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
  readonly #entries: Entries;
  readonly #metrics: LogMetrics;
  readonly #journal: Journal | undefined;
  readonly #routes = new Map<string, Route>();
  readonly #damage: Damage = { error: undefined };

  constructor(service: LogService) {
    const { fetch, sequencer, journal, hammer, identityOf = sha256 } = service;
    this.#files = new StaticFiles(fetch);
    this.#metrics = new LogMetrics(sequencer, () => this.#files.knownSize);
    this.#journal = journal;
    this.#entries = new Entries({
      ...service,
      identityOf,
      admission: service.admission,
      tree: new PublishedTree(service),
      places: new EntryPlaces(service.leafIndex),
      metrics: this.#metrics,
      damaged: (error) => this.#damaged(error),
    });
    const routes = this.#routes;
    routes.set("/healthz", HEALTH);
    routes.set("/readyz", readiness(sequencer, this.#damage));
    routes.set("/metrics", { name: "metrics", method: "GET", answer: () => this.#metricsAnswer() });
    if (hammer) routes.set("/add", hammerRoute(sequencer, this.#metrics));
  }

  route(path: string): Route | undefined {
    return this.#routes.get(path) ?? this.#files.route(path) ?? this.#entries.route(path);
  }

  answered(answered: Answered): void {
    this.#metrics.answered(answered);
    this.#journal?.answered(answered);
  }

  async #metricsAnswer(): Promise<Answer> {
    await this.#files.size();
    return { status: 200, type: METRICS_TYPE, body: this.#metrics.format() };
  }

  #damaged(error: unknown): void {
    this.#damage.error ??= error;
    this.#journal?.event("error", "the log's files are damaged", { error: messageOf(error) });
  }
}
