import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import type { AlertDocument } from "./alert-text.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { alertAbout } from "./watched.testing.ts";

const never = new AbortController().signal;
const [one, two, three] = ["one", "two", "three"].map(alertAbout) as [
  AlertDocument,
  AlertDocument,
  AlertDocument,
];

describe("an outbox", async () => {
  const root = await scratchFolder();
  let count = 0;
  let works = true;
  let sent: string[] = [];
  let notes: string[] = [];

  function options(change: Partial<OutboxOptions> = {}): OutboxOptions {
    count++;
    [works, sent, notes] = [true, [], []];
    return {
      folder: join(root, String(count)),
      name: "a receiver",
      send: ({ subject }) => {
        sent.push(subject);
        return Promise.resolve(works ? undefined : "it is down");
      },
      note: (line) => notes.push(line),
      firstWait: 20,
      ...change,
    };
  }

  it("sends in order, each alert once, and keeps nothing that was taken", async () => {
    const given = options();
    const outbox = await Outbox.open(given);
    for (const alert of [one, two, one]) await outbox.put(alert);
    await outbox.flush(never);
    await outbox.flush(never);
    expect(sent).toEqual(["one", "two"]);
    expect(await readdir(given.folder)).toEqual([]);
  });

  it("keeps what could not be delivered over a restart, with the time of the next attempt", async () => {
    const given = options({ firstWait: 100_000 });
    const outbox = await Outbox.open(given);
    for (const alert of [one, two]) await outbox.put(alert);
    works = false;
    await outbox.flush(never);
    expect(sent).toEqual(["one"]);
    expect(notes[0]).toMatch(/^a receiver: it is down; 2 waiting, next attempt in (?:[5-9][0-9]|100) s$/);
    works = true;
    const again = await Outbox.open(given);
    expect(again.size).toBe(2);
    await again.flush(never);
    expect(sent).toEqual(["one", "two"]);
    expect(again.size).toBe(1);
  });

  it("tries again later and later, and is not held up by an alert that is never taken", async () => {
    const given = options({
      send: ({ subject }) => {
        sent.push(subject);
        return Promise.resolve(subject === "one" ? "it answers 400" : undefined);
      },
    });
    const outbox = await Outbox.open(given);
    for (const alert of [one, two, three]) await outbox.put(alert);
    const stop = new AbortController();
    const running = outbox.run(stop.signal);
    while (outbox.size > 1 || sent.filter((subject) => subject === "one").length < 3)
      await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await running;
    expect(sent.slice(0, 1)).toEqual(["one"]);
    expect(sent.filter((subject) => subject !== "one")).toEqual(["two", "three"]);
  });

  it("wakes up for an alert that comes while it sleeps", async () => {
    const outbox = await Outbox.open(options());
    const stop = new AbortController();
    const running = outbox.run(stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await outbox.put(one);
    while (outbox.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await running;
    expect(sent).toEqual(["one"]);
  });

  it("is full at its limit, so that whoever fills it can stop", async () => {
    const outbox = await Outbox.open(options({ limit: 2 }));
    await outbox.put(one);
    expect(outbox.isFull).toBe(false);
    await outbox.put(two);
    expect(outbox.isFull).toBe(true);
  });

  it("does not count an attempt that an interruption ended", async () => {
    const given = options({ firstWait: 100_000, send: () => Promise.resolve("interrupted") });
    const outbox = await Outbox.open(given);
    await outbox.put(one);
    const stop = new AbortController();
    const flushed = outbox.flush(stop.signal);
    stop.abort();
    await flushed;
    expect(notes).toEqual([]);
  });
});
