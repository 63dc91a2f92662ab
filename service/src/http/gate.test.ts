import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { Gate } from "./gate.ts";

describe("a gate: too many at once, or one that never comes through", () => {
  it("lets so many through at a time, in order, and goes on after a failure", async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    let within = 0;
    let most = 0;
    const work = Array.from({ length: 12 }, async (_, at) =>
      gate.pass(async () => {
        order.push(at);
        most = Math.max(most, ++within);
        await sleep(2);
        within--;
        if (at % 3 === 0) throw new Error("failed");
      }),
    );
    const ended = await Promise.allSettled(work);
    expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(4);
    expect([most, order]).toEqual([2, [...order].sort((a, b) => a - b)]);
  });
});
