import { describe, expect, it } from "vitest";
import { concatBytes, formatHex, sha256 } from "@bootproof/bytes";
import type { MeasuredEvent } from "./event.ts";
import { replay, traceReplay } from "./replay.ts";

const event = (register: string, byte: number): MeasuredEvent => ({
  register,
  digest: Uint8Array.of(byte),
  type: "test",
  label: "a byte",
  source: { artifact: "firmware" },
});
const extend = (current: Uint8Array, { digest }: MeasuredEvent) => sha256(concatBytes(current, digest));
const start = { a: new Uint8Array(32), b: new Uint8Array(32) };

describe("replay: the registers of any platform follow from its events", () => {
  it("extends each register by its own events, in order, and leaves the start values alone", () => {
    const registers = replay(start, extend, [event("a", 1), event("b", 2), event("a", 3)]);
    expect(registers["a"]).toEqual(extend(extend(start.a, event("a", 1)), event("a", 3)));
    expect(registers["b"]).toEqual(extend(start.b, event("b", 2)));
    expect(formatHex(start.a)).toBe("00".repeat(32));
  });

  it("traces what it replays: each step starts where the register's last one ended", () => {
    const events = [event("a", 1), event("b", 2), event("a", 3)];
    const steps = [...traceReplay(start, extend, events)];
    expect(steps.map(({ event: { register } }) => register)).toEqual(["a", "b", "a"]);
    expect(steps[2]!.before).toEqual(steps[0]!.after);
    expect(steps[2]!.after).toEqual(replay(start, extend, events)["a"]);
  });

  it("refuses an event for a register that the platform does not have", () => {
    expect(() => replay(start, extend, [event("c", 1)])).toThrow(RangeError);
    expect(() => [...traceReplay(start, extend, [event("constructor", 1)])]).toThrow(RangeError);
  });
});
