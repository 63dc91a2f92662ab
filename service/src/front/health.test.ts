import { describe, expect, it } from "vitest";

import type { SequencerStatus } from "../sequencing/sequencer.ts";
import { readiness } from "./health.ts";

const ANY: SequencerStatus = { state: "writing", size: 0n, pending: 0, failing: undefined, witnesses: [] };

async function ready(status: Partial<SequencerStatus>, error?: unknown): Promise<[number, string]> {
  const route = readiness({ status: () => ({ ...ANY, ...status }) }, { error });
  const { status: code, body } = await route.answer(undefined as never);
  return [code, String(body)];
}

describe("readiness: entries sent to a server from which they do not come out", () => {
  it("says yes while it writes, and while it stands by for the one that does", async () => {
    expect(await ready({})).toEqual([200, "ready\n"]);
    expect(await ready({ state: "stand-by" })).toEqual([200, "ready\n"]);
  });

  it("bears with witnesses that are away for half a minute, and no longer", async () => {
    const away = (seconds: number): SequencerStatus["failing"] => ({
      since: Date.now() - seconds * 1000,
      error: new Error("too few witnesses"),
    });
    expect((await ready({ failing: away(25) }))[0]).toBe(200);
    const [code, why] = await ready({ failing: away(35) });
    expect([code, why]).toEqual([503, expect.stringContaining("too few witnesses")]);
  });

  it("says no, and why, in every other state", async () => {
    for (const state of ["opening", "recovering", "frozen", "stopped"] as const) {
      const [code, why] = await ready({ state });
      expect([state, code]).toEqual([state, 503]);
      expect(why).toMatch(/^not ready: .+\n$/);
    }
    expect(await ready({}, new Error("tile/0/000"))).toEqual([503, expect.stringContaining("tile/0/000")]);
  });
});
