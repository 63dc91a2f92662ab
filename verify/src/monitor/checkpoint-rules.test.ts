import { sha256, utf8 } from "@bootproof/bytes";
import { noteVerifier, type LogPolicy } from "@bootproof/log";
import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { forkedLog, shrunkLog } from "./log-history.ts";
import { quorumTime } from "./shown-checkpoint.ts";
import { staleCheckpoint } from "./stale-checkpoint.ts";
import { unreadableLog } from "./unreadable-log.ts";
import { witnessAhead } from "./witness-ahead.ts";

const NOW = 1_700_000_000;
const [small, large] = [3n, 5n].map((size) => ({ size, root: sha256(utf8(`root ${size}`)) }));
const [w1, w2] = [KEYS.witness1, KEYS.witness2].map(({ vkey }, at) => ({
  kind: "witness" as const,
  name: `w${at + 1}`,
  vkey,
}));

describe("how fresh a checkpoint is", () => {
  const policy = (threshold: number): Pick<LogPolicy, "witnesses" | "quorum"> => ({
    witnesses: [w1!, w2!],
    quorum: { kind: "group", name: "g", threshold, members: [w1!, w2!] },
  });
  const verified = (...times: number[]) =>
    times.map((time, at) => ({ verifier: noteVerifier([w1!, w2!][at]!.vkey), timestamp: BigInt(time) }));

  it("is the time that the whole quorum vouches for, and never one in the future", () => {
    expect(quorumTime(policy(1), verified(NOW - 50, NOW - 9), NOW)).toBe(NOW - 9);
    expect(quorumTime(policy(2), verified(NOW - 50, NOW - 9), NOW)).toBe(NOW - 50);
    expect(quorumTime(policy(1), verified(NOW - 50, NOW + 9000), NOW)).toBe(NOW - 50);
    expect(quorumTime(policy(2), verified(NOW - 50, NOW + 9000), NOW)).toBeUndefined();
    expect(quorumTime({ witnesses: [], quorum: "none" }, [], NOW)).toBeUndefined();
  });

  it("makes one alert for as long as it stays as it is, and another when it was fresh in between", () => {
    const freshness = {
      origin: "log",
      checkpoint: small!,
      fresh: NOW - 100,
      by: "observation",
      after: 60,
    } as const;
    expect(staleCheckpoint(freshness, NOW - 40)).toEqual([]);
    const [first] = staleCheckpoint(freshness, NOW);
    expect(staleCheckpoint(freshness, NOW + 5)[0]?.id).toBe(first?.id);
    expect(staleCheckpoint({ ...freshness, fresh: NOW }, NOW + 100)[0]?.id).not.toBe(first?.id);
  });
});

describe("contradictions of a log with itself", () => {
  const two = { origin: "log", seen: large!, shown: small!, by: "the log" };

  it("are alarms that name both checkpoints", () => {
    expect(shrunkLog(two, NOW)).toMatchObject({
      rule: "shrunk-log",
      severity: "alarm",
      summary: "the log shrank from 5 entries to 3",
    });
    expect(forkedLog({ ...two, seen: small!, shown: large! }, small!.root, NOW)).toMatchObject({
      rule: "forked-log",
      severity: "alarm",
      summary: "the log signed two trees that differ in their first 3 entries",
    });
  });
});

describe("conditions that need time", () => {
  it("are not told before it: a witness that is ahead", () => {
    const ahead = { origin: "log", witness: "w1", shown: large!, seen: small!, since: NOW, after: 60 };
    expect(witnessAhead(ahead, NOW + 60)).toEqual([]);
    expect(witnessAhead(ahead, NOW + 61)).toMatchObject([{ rule: "witness-ahead", severity: "alarm" }]);
  });

  it("are not told before it: a log that cannot be read; and are new each time that it begins", () => {
    const failing = { origin: "log", since: NOW, reason: "no answer", after: 60 };
    expect(unreadableLog(failing, NOW + 59)).toEqual([]);
    const [first] = unreadableLog(failing, NOW + 60);
    expect(first).toMatchObject({
      rule: "unreadable-log",
      severity: "warning",
      details: { reason: "no answer" },
    });
    expect(unreadableLog({ ...failing, since: NOW + 900 }, NOW + 2000)[0]?.id).not.toBe(first?.id);
  });
});
