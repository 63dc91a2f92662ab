/**
 * What a log service counts.
 * @module
 */
import type { Answered } from "../http/frame.ts";
import type { Sequencer } from "../sequencing/sequencer.ts";
import { addProcessMetrics, Metrics, type Counter, type Histogram } from "./metrics.ts";

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30];

/** The numbers of one log service. */
export class LogMetrics {
  readonly #metrics = new Metrics();
  readonly #requests: Counter;
  readonly #refusals: Counter;
  /** From when an entry was taken to when it was public. */
  readonly published: Histogram;
  /** From when an entry was taken to when its index was durable, where that is waited for. */
  readonly sequenced: Histogram;

  constructor(sequencer: Sequencer, publishedSize: () => bigint) {
    const metrics = this.#metrics;
    this.#requests = metrics.counter("bootproof_http_requests_total", "Requests answered.", [
      "route",
      "status",
    ]);
    this.#refusals = metrics.counter("bootproof_refusals_total", "Requests refused, by code.", ["code"]);
    const took = "Seconds from taking an entry until a public checkpoint covered it.";
    this.published = metrics.histogram("bootproof_log_publication_seconds", took, SECONDS);
    const durable = "Seconds from taking an entry until its index was durable (POST /add).";
    this.sequenced = metrics.histogram("bootproof_log_sequencing_seconds", durable, SECONDS);
    const status = (): ReturnType<Sequencer["status"]> => sequencer.status();
    metrics.gauge("bootproof_log_size", "Entries that have an index.", () => {
      const { size } = status();
      return size === undefined ? undefined : Number(size);
    });
    metrics.gauge("bootproof_log_published_size", "Entries under the public checkpoint.", () =>
      Number(publishedSize()),
    );
    metrics.gauge("bootproof_log_pending", "Entries that wait.", () => status().pending);
    metrics.gauge("bootproof_log_failing_seconds", "How long nothing could be published.", () => {
      const { failing } = status();
      return failing === undefined ? 0 : (Date.now() - failing.since) / 1000;
    });
    metrics.gauges("bootproof_log_writer", "1 for the state of this writer.", () => [
      [{ state: status().state }, 1],
    ]);
    metrics.gauges("bootproof_witness_outcome", "1 for how each witness answered last.", () =>
      status().witnesses.map(({ url, outcome }) => [{ url, outcome }, 1]),
    );
    addProcessMetrics(metrics);
  }

  /** Counts an answer. */
  answered({ route, status, about }: Answered): void {
    this.#requests.add(route, String(status));
    if (about?.code !== undefined) this.#refusals.add(about.code);
  }

  /** The text that a collector reads. */
  format(): string {
    return this.#metrics.format();
  }
}
