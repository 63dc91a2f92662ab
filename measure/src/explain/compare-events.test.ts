import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { MeasuredEvent } from "../event.ts";
import { eventOf, groupChanges } from "./change-groups.ts";
import { compareEvents } from "./compare-events.ts";

function event(address: number, contents = address, type = "NORMAL"): MeasuredEvent {
  const digest = new Uint8Array(48);
  new DataView(digest.buffer).setUint32(0, contents);
  return {
    register: "R",
    digest,
    type,
    label: `page ${address}`,
    source: { artifact: "firmware", offset: address },
    guestAddress: BigInt(address),
  };
}

const list = (...addresses: number[]): MeasuredEvent[] => addresses.map((address) => event(address));

/** What a person would be told: kinds and positions. */
function told(a: MeasuredEvent[], b: MeasuredEvent[]): string[] {
  return compareEvents(a, b).map(
    (change) => `${change.kind} ${change.a?.index ?? "-"} ${change.b?.index ?? "-"}`,
  );
}

describe("comparing two lists of events", () => {
  it("finds nothing where nothing differs, or people chase ghosts", () => {
    expect(told(list(1, 2, 3), list(1, 2, 3))).toEqual([]);
    expect(told([], [])).toEqual([]);
  });

  it.each([
    ["an event that only the second list has", list(1, 3), list(1, 2, 3), ["inserted - 1"]],
    ["an event that only the first list has", list(1, 2, 3), list(1, 3), ["removed 1 -"]],
    [
      "one event that moved, not all that stayed",
      list(1, 2, 3, 4, 5),
      list(1, 3, 4, 2, 5),
      ["reordered 1 3"],
    ],
    ["two events that changed places", list(1, 2, 3), list(1, 3, 2), ["reordered 1 2"]],
    ["another type", list(1, 2), [event(1), event(2, 2, "ZERO")], ["type 1 1"]],
    ["another address", [event(1), event(2, 9)], [event(1), event(3, 9)], ["address 1 1"]],
    ["other contents", [event(1), event(2)], [event(1), event(2, 9)], ["contents 1 1"]],
  ])("names %s", (_name, a, b, want) => {
    expect(told(a, b)).toEqual(want);
  });

  it("pairs what is equal first: one page more does not make all behind it differ", () => {
    const vcpus = (count: number): MeasuredEvent[] =>
      Array.from({ length: count }, (_, index) => event(7, index === 0 ? 1 : 2, "VMSA"));
    expect(told(vcpus(2), vcpus(4))).toEqual(["inserted - 2", "inserted - 3"]);
  });

  it("tells events without addresses by their part of the artifact", () => {
    const at = (section: string, contents: number): MeasuredEvent => ({
      register: "R",
      digest: Uint8Array.of(contents),
      type: "blob",
      label: section,
      source: { artifact: "kernel", section },
    });
    expect(told([at("x", 1), at("y", 2)], [at("x", 1), at("y", 3)])).toEqual(["contents 1 1"]);
  });

  it("accounts for every event, whatever the lists", () => {
    const events = fc.array(
      fc.tuple(fc.nat(6), fc.nat(3), fc.constantFrom("NORMAL", "ZERO")).map((it) => event(...it)),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, events, (a, b) => {
        const changes = compareEvents(a, b);
        const one = (kind: string): number => changes.filter((change) => change.kind === kind).length;
        expect(a.length - one("removed")).toBe(b.length - one("inserted"));
        for (const { a: left, b: right } of changes) {
          if (left !== undefined) expect(a[left.index]).toBe(left.event);
          if (right !== undefined) expect(b[right.index]).toBe(right.event);
        }
        // Nothing differs exactly when the lists are equal.
        expect(changes.length === 0).toBe(JSON.stringify(a, plain) === JSON.stringify(b, plain));
      }),
    );
  });

  it("compares 20,000 events that all differ without making anybody wait", () => {
    const a = Array.from({ length: 20_000 }, (_, index) => event(index, index));
    const cases = {
      reversed: a.toReversed(),
      "other contents": a.map((_, index) => event(index, index + 1)),
      "all alike": Array.from({ length: 20_000 }, () => event(1)),
    };
    for (const [name, b] of Object.entries(cases)) {
      const start = performance.now();
      compareEvents(a, b);
      expect(performance.now() - start, name).toBeLessThan(3000);
    }
  });
});

describe("grouping differences", () => {
  it("tells neighbours that are alike together", () => {
    const [a, b] = [list(1, 2, 3, 4), [event(1), event(2, 9), event(3, 9), event(4, 4, "ZERO")]];
    const groups = groupChanges(compareEvents(a, b));
    expect(groups.map(({ kind, changes }) => [kind, changes.length])).toEqual([
      ["contents", 2],
      ["type", 1],
    ]);
    expect(groups.map(({ changes }) => eventOf(changes[0]!).guestAddress)).toEqual([2n, 4n]);
  });
});

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
