/**
 * Counters for whoever runs a service, in Prometheus' text form (exposition format 0.0.4). They are few and have fixed
 * names, so that no request can make another one.
 * @module
 */

/** A name and its labels, `{route="checkpoint",status="200"}` or empty. */
type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: () => Iterable<readonly [suffix: string, labels: string, value: number]>;
}

/** Counts what happened, by the values of its labels. */
export class Counter {
  readonly #names: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Counts one more; labels are formed when somebody reads them, since this is done for each request. */
  add(...values: readonly string[]): void {
    const key = values.length === 1 ? (values[0] ?? "") : values.join("\n");
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Its samples. */
  *samples(): Generator<readonly [string, string, number]> {
    for (const [key, count] of this.#counts) {
      const values = key.split("\n");
      yield [
        "",
        formatLabels(Object.fromEntries(this.#names.map((name, at) => [name, values[at] ?? ""]))),
        count,
      ];
    }
  }
}

/** Counts durations in seconds, by bounds. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  /** Counts one. */
  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    const at = this.#bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Its samples: cumulative buckets, sum and count. */
  *samples(): Generator<readonly [string, string, number]> {
    let below = 0;
    for (const [at, bound] of this.#bounds.entries()) {
      below += this.#counts[at] ?? 0;
      yield ["_bucket", formatLabels({ le: String(bound) }), below];
    }
    yield ["_bucket", formatLabels({ le: "+Inf" }), this.#count];
    yield ["_sum", "", this.#sum];
    yield ["_count", "", this.#count];
  }
}

/** The families of one service. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** Adds a counter. */
  counter(name: string, help: string, labels: readonly string[]): Counter {
    const counter = new Counter(labels);
    this.#families.set(name, { help, type: "counter", samples: () => counter.samples() });
    return counter;
  }

  /** Adds a histogram. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(bounds);
    this.#families.set(name, { help, type: "histogram", samples: () => histogram.samples() });
    return histogram;
  }

  /** Adds a value that is read when somebody asks; undefined is not told. */
  gauge(
    name: string,
    help: string,
    read: () => number | undefined,
    type: "gauge" | "counter" = "gauge",
  ): void {
    this.gauges(
      name,
      help,
      () => {
        const value = read();
        return value === undefined ? [] : [[{}, value]];
      },
      type,
    );
  }

  /** Adds values by labels that are read when somebody asks. */
  gauges(
    name: string,
    help: string,
    read: () => Iterable<readonly [Labels, number]>,
    type: "gauge" | "counter" = "gauge",
  ): void {
    const samples = (): [string, string, number][] =>
      [...read()].map(([labels, value]) => ["", formatLabels(labels), value]);
    this.#families.set(name, { help, type, samples });
  }

  /** The text that a collector reads. */
  format(): string {
    const lines: string[] = [];
    for (const [name, { help, type, samples }] of this.#families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [suffix, labels, value] of samples())
        lines.push(`${name}${suffix}${labels} ${String(value)}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

/** Content type of {@link Metrics.format}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Adds what is known of the process: names as every Prometheus client has them. */
export function addProcessMetrics(metrics: Metrics): void {
  const started = Date.now() / 1000 - process.uptime();
  const cpu = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  metrics.gauge("process_cpu_seconds_total", "Processor time spent, in seconds.", cpu, "counter");
  metrics.gauge("process_resident_memory_bytes", "Memory held, in bytes.", () => process.memoryUsage.rss());
  metrics.gauge(
    "process_start_time_seconds",
    "When the process began, in seconds since 1970.",
    () => started,
  );
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
