import { entryIdentity, keyidOf } from "@bootproof/statement";
import { describe, expect, it } from "vitest";

import { openAdmission, type Admitted, type Refusal } from "./admission.ts";
import {
  ACME,
  GLOBEX,
  LOG,
  NOON,
  PUBLISHERS,
  open,
  outcome,
  own,
  releaseStatement,
  seal,
} from "./tenants.testing.ts";

describe("quotas: one tenant must not fill the log for the others", () => {
  const numbered = (name: string, at: number): Promise<Uint8Array> =>
    seal(
      releaseStatement(name, { release: { name, version: `${at}` } }),
      name.startsWith("acme") ? ACME : GLOBEX,
    );

  it("counts entries by key and day, and says when to come back", async () => {
    let now = NOON;
    const limited = open(() => now);
    for (let at = 0; at < 5; at++)
      expect(await outcome(await numbered("acme-q", at), limited)).toBe("admitted");
    const refused = (await limited.admit(await numbered("acme-q", 5))) as Refusal;
    expect(refused).toMatchObject({ status: 429, code: "BP-ADMIT-012", retryAfter: 43_200 });
    expect(refused.identity).toEqual(entryIdentity(await numbered("acme-q", 5)));
    expect(await outcome(await numbered("globex-q", 0), limited)).toBe("admitted");
    now += 43_199;
    expect(await outcome(await numbered("acme-q", 5), limited)).toBe("BP-ADMIT-012");
    now += 1;
    expect(await outcome(await numbered("acme-q", 5), limited)).toBe("admitted");
    // A clock that is set back does not give the day before once more.
    now -= 86_400;
    for (let at = 6; at < 10; at++) await limited.admit(await numbered("acme-q", at));
    expect(await outcome(await numbered("acme-q", 10), limited)).toBe("BP-ADMIT-012");
  });

  it("charges only what was newly appended", async () => {
    const limited = open();
    const body = await numbered("acme-q", 0);
    for (let at = 0; at < 20; at++) {
      const admitted = (await limited.admit(body)) as Admitted;
      expect(admitted.publisher).toBe("Acme");
      admitted.giveBack();
      admitted.giveBack();
    }
    expect(limited.quotas.state.used.get(keyidOf(ACME.vkey))).toEqual({ entries: 0, bytes: 0 });
  });

  it("charges nothing for what is sent again by a stranger, before it is in the log or after", async () => {
    const limited = open();
    const [pending, fresh] = [await numbered("acme-q", 0), await numbered("acme-q", 1)];
    const sent: Admitted[] = [];
    for (let at = 0; at < 20; at++) sent.push((await limited.admit(pending)) as Admitted);
    const used = (): unknown => limited.quotas.state.used.get(keyidOf(ACME.vkey));
    expect(used()).toEqual({ entries: 1, bytes: pending.length });
    // One was appended, the others were there.
    for (const { giveBack } of sent.slice(1)) giveBack();
    expect(used()).toEqual({ entries: 1, bytes: pending.length });
    for (let at = 2; at < 9; at++)
      await limited.admit(await numbered("acme-q", at), () => Promise.resolve(true));
    expect(used()).toEqual({ entries: 1, bytes: pending.length });
    expect(await outcome(fresh, limited)).toBe("admitted");
  });

  it("counts bytes too, and statements that are refused not at all", async () => {
    const limited = openAdmission(PUBLISHERS.replaceAll("bytesPerDay: 20000", `bytesPerDay: ${own.length}`), {
      now: () => NOON,
      log: LOG,
    });
    expect(await outcome(await seal(releaseStatement("globex-x"), ACME), limited)).toBe("BP-ADMIT-010");
    expect(await outcome(own, limited)).toBe("admitted");
    expect(await outcome(await numbered("acme-q", 1), limited)).toBe("BP-ADMIT-012");
  });

  it("goes on where an earlier process stopped", async () => {
    const first = open();
    for (let at = 0; at < 5; at++) await first.admit(await numbered("acme-q", at));
    const second = openAdmission(PUBLISHERS, { now: () => NOON, log: LOG, used: first.quotas.state });
    expect(await outcome(await numbered("acme-q", 5), second)).toBe("BP-ADMIT-012");
  });
});
