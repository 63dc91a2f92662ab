import { describe, expect, it } from "vitest";

import { Journal } from "./journal.ts";
import { Metrics } from "./metrics.ts";

describe("metrics: a number that an operator would miss", () => {
  it("are in the form that Prometheus reads", () => {
    const metrics = new Metrics();
    const requests = metrics.counter("requests_total", "Requests.", ["route", "status"]);
    for (const route of ["a", "a", 'b"\\']) requests.add(route, "200");
    const seconds = metrics.histogram("seconds", "Seconds.", [0.1, 1]);
    for (const took of [0.05, 0.1, 0.5, 7]) seconds.observe(took);
    metrics.gauge("size", "Size.", () => 3);
    metrics.gauge("unknown", "Unknown.", () => undefined);
    expect(metrics.format()).toBe(
      [
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        'requests_total{route="a",status="200"} 2',
        'requests_total{route="b\\"\\\\",status="200"} 1',
        "# HELP seconds Seconds.",
        "# TYPE seconds histogram",
        'seconds_bucket{le="0.1"} 2',
        'seconds_bucket{le="1"} 3',
        'seconds_bucket{le="+Inf"} 4',
        "seconds_sum 7.65",
        "seconds_count 4",
        "# HELP size Size.",
        "# TYPE size gauge",
        "size 3",
        "# HELP unknown Unknown.",
        "# TYPE unknown gauge",
        "",
      ].join("\n"),
    );
  });
});

describe("the journal: a line that is lost", () => {
  it("writes requests a few at a time, and what is wrong at once", async () => {
    const writes: string[] = [];
    const journal = new Journal((text) => writes.push(text));
    const request = { method: "GET", route: "tile", status: 200, ms: 1.23456, bytes: 8192 };
    journal.answered(request);
    journal.answered(request);
    expect(writes).toEqual([]);
    journal.answered({ ...request, status: 500, error: new Error("no\nspace") });
    expect(writes).toHaveLength(1);
    const lines = (writes[0] ?? "")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ level, ms }) => [level, ms])).toEqual([
      ["info", 1.235],
      ["info", 1.235],
      ["error", 1.235],
    ]);
    expect(lines[2]?.["error"]).toBe("no\nspace");
    journal.answered(request);
    await expect.poll(() => writes.length).toBe(2);
  });
});
