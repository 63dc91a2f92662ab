import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeAlert } from "./alert.ts";
import {
  formatMonitorState,
  NOTHING_SEEN,
  parseMonitorState,
  withRaised,
  type MonitorState,
} from "./monitor-state.ts";

const STATE: MonitorState = {
  next: 2n ** 60n,
  notStatements: 3,
  notCompared: 1,
  unconfirmedFrom: 7n,
  seenBy: [{ below: 9n, at: 1_700_000_000 }],
  seen: { note: "a\n1\n", since: 5 },
  ahead: [{ witness: "w1", note: "b\n", since: 6 }],
  failingSince: 8,
  raised: ["0".repeat(64)],
};

describe("a monitor's memory", () => {
  it("comes back as it was written", () => {
    for (const state of [STATE, NOTHING_SEEN])
      expect(parseMonitorState(formatMonitorState(state))).toEqual(state);
  });

  it.each([
    ["another format", { schema: "bootproof/watch-state/2" }],
    ["an unknown key", { more: 1 }],
    ["an index that is no index", { next: "07" }],
    ["more counted than seen", { unconfirmedFrom: String(2n ** 61n) }],
    ["a time below zero", { failingSince: -1 }],
  ])("is refused with %s", (_, change) => {
    const text = JSON.parse(new TextDecoder().decode(formatMonitorState(STATE))) as object;
    expect(() => parseMonitorState(utf8(JSON.stringify({ ...text, ...change })))).toThrow(ParseError);
  });

  it("is read or refused with a ParseError whatever the bytes", () => {
    const good = formatMonitorState(STATE);
    const parses = (bytes: Uint8Array): void => {
      try {
        parseMonitorState(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    };
    fc.assert(fc.property(fc.uint8Array(), parses));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => parses(good.with(at, byte))),
      { numRuns: 300 },
    );
  });

  it("holds a bounded number of raised alerts, the newest", () => {
    const ids = Array.from({ length: 300 }, (_, at) => String(at).padStart(64, "0"));
    const state = withRaised(withRaised(NOTHING_SEEN, ids), [ids[100]!]);
    expect(state.raised).toHaveLength(256);
    expect(state.raised.at(-1)).toBe(ids[100]);
  });
});

describe("an alert", () => {
  const found = {
    rule: "revoked-key",
    severity: "alarm",
    origin: "log",
    subject: "key",
    entries: [1n, 2n],
    summary: "s",
    details: {},
    observed: 1,
  } as const;

  it("has an ID that follows from what it is about, and not from when it was seen", () => {
    const { id } = makeAlert(found);
    expect(makeAlert({ ...found, observed: 2, summary: "t", severity: "info" }).id).toBe(id);
    for (const change of [
      { entries: [12n] },
      { subject: "keys" },
      { origin: "l" },
      { rule: "new-statement" },
    ] as const)
      expect(makeAlert({ ...found, ...change }).id).not.toBe(id);
  });

  it("is bounded however long the texts that it is made from, and well-formed", () => {
    const long = "\ud800".repeat(70_000);
    const alert = makeAlert({ ...found, subject: long, summary: long, details: { long } });
    expect(
      JSON.stringify(alert, (_, value: unknown) => (typeof value === "bigint" ? Number(value) : value))
        .length,
    ).toBeLessThan(2000);
    expect(alert.subject.isWellFormed()).toBe(true);
  });
});
