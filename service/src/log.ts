/**
 * A log over HTTP: its public files, submissions, and what its operator needs to know.
 * @module
 */
import type { FetchObject, LogPolicy } from "@bootproof/log";
import { entryIdentity } from "@bootproof/statement";

import type { AboutLog } from "./admission/named.ts";

import { Entries, type EntryAdmission } from "./front/entries.ts";
import { EntryPlaces } from "./front/entry-places.ts";
import { PublishedTree } from "./front/published-tree.ts";
import { HEALTH, readiness, type Damage } from "./front/health.ts";
import { openHammer, type Hammer } from "./front/hammer.ts";
import { StaticFiles } from "./front/static-files.ts";
import { messageOf, refuseAsJson, refuseAsText, type Answer } from "./http/answer.ts";
import { startServer, type Address, type Answered, type Route, type RunningServer } from "./http/frame.ts";
import { LogFollower } from "./lookup/follow-log.ts";
import type { LookupIndex } from "./lookup/lookup-index.ts";
import { lookupRoute, type LookupService } from "./lookup/lookup-route.ts";
import { LogMetrics } from "./operating/log-metrics.ts";
import { METRICS_TYPE } from "./operating/metrics.ts";
import type { Journal } from "./operating/journal.ts";
import type { Sequencer } from "./sequencing/sequencer.ts";

export { messageOf } from "./http/answer.ts";
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
export { FiledAdmission, type AdmissionFiles } from "./admission/admission-files.ts";
export type { AboutLog } from "./admission/named.ts";
export { LookupIndex } from "./lookup/lookup-index.ts";
export type { Address, RunningServer } from "./http/frame.ts";

/** Admission that keeps what it counts when it is closed. */
export interface ClosableAdmission extends EntryAdmission {
  close?(): Promise<void>;
}

/** What is served. */
export interface LogService {
  readonly sequencer: Sequencer;
  /** Reads the log's public files. */
  readonly fetch: FetchObject;
  readonly origin: string;
  /** The log's keys and its witnesses: what a proof must satisfy before it is handed out. */
  readonly policy: LogPolicy;
  /** Decides what `POST /v1/entries` takes; without it, that takes nothing. */
  readonly admission?: ((log: AboutLog) => Promise<ClosableAdmission>) | undefined;
  /** Finds entries by what they hold; without it only those that came through here lately are found. */
  readonly lookup?: LookupIndex | undefined;
  /** How long a submission waits for its checkpoint, in seconds. */
  readonly wait: number;
  /** What makes two entries the same; by default what they state and who signed it. */
  readonly identityOf?: (entry: Uint8Array) => Uint8Array;
  /** Whether `/add` takes any entry from anyone. */
  readonly hammer: boolean;
  /** Where requests are told; nowhere by default. */
  readonly journal?: Journal | undefined;
}

/** Starts to listen; rejects when the address cannot be had. Stopping it stops the sequencer too. */
export async function serveLog(service: LogService, address: Address): Promise<RunningServer> {
  const tree = new PublishedTree(service);
  const { origin, journal, lookup, sequencer } = service;
  const admission = await service.admission?.({ origin, entry: (index) => tree.entry(index) });
  const front = new LogFront(service, tree, admission);
  const server = await startServer(
    {
      route: (path) => front.route(path),
      plainPost: front.hammer?.plainPost,
      refuse: (refusal, path) => (path.startsWith("/v1/") ? refuseAsJson(refusal) : refuseAsText(refusal)),
      answered: (answered) => front.answered(answered),
    },
    address,
  );
  const report = (error: unknown): void =>
    journal?.event("warn", "the lookup index cannot follow", { error: messageOf(error) });
  const follower = lookup && new LogFollower({ index: lookup, reader: () => tree.reader(), report });
  return {
    url: server.url,
    stop: async (grace) => {
      // At the same time: who waits for an entry is answered when it is public, and then the connections end.
      await Promise.all([server.stop(grace), sequencer.stop(), follower?.stop()]);
      await admission?.close?.();
      lookup?.close();
      journal?.flush();
    },
  };
}

class LogFront {
  readonly hammer: Hammer | undefined;
  readonly #files: StaticFiles;
  readonly #entries: Entries;
  readonly #lookup: LookupService | undefined;
  readonly #metrics: LogMetrics;
  readonly #journal: Journal | undefined;
  readonly #routes = new Map<string, Route>();
  readonly #damage: Damage = { error: undefined };

  constructor(service: LogService, tree: PublishedTree, admission: EntryAdmission | undefined) {
    const { fetch, origin, sequencer, journal, lookup, hammer, wait, identityOf = entryIdentity } = service;
    this.#files = new StaticFiles(fetch);
    this.#metrics = new LogMetrics(sequencer, () => this.#files.knownSize);
    this.#journal = journal;
    this.#lookup = lookup && { index: lookup, origin, reader: () => tree.reader() };
    this.#entries = new Entries({
      sequencer,
      tree,
      places: new EntryPlaces(lookup && { find: (leaf) => lookup.leaves(leaf) }),
      metrics: this.#metrics,
      identityOf,
      admission,
      wait,
      damaged: (error) => this.#damaged(error),
    });
    const routes = this.#routes;
    routes.set("/healthz", HEALTH);
    routes.set("/readyz", readiness(sequencer, this.#damage));
    routes.set("/metrics", { name: "metrics", method: "GET", answer: () => this.#metricsAnswer() });
    this.hammer = hammer ? openHammer(sequencer, this.#metrics) : undefined;
    if (this.hammer !== undefined) routes.set(this.hammer.path, this.hammer.route);
  }

  route(path: string): Route | undefined {
    return (
      this.#routes.get(path) ??
      this.#files.route(path) ??
      this.#entries.route(path) ??
      (this.#lookup && lookupRoute(this.#lookup, path))
    );
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
