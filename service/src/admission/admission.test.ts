import type { JsonValue } from "@bootproof/bytes";
import { entryIdentity, keyidOf } from "@bootproof/statement";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Admitted } from "./admission.ts";
import {
  ACME,
  GLOBEX,
  REBUILDER,
  admission,
  outcome,
  own,
  payloadOf,
  provenanceStatement,
  rebuildOf,
  releaseStatement,
  sbomStatement,
  seal,
  sealText,
} from "./tenants.testing.ts";

describe("admission: a publisher must get its own statements in", () => {
  it("admits what a publisher signed about its own names, byte for byte, with its identity", async () => {
    const admitted = (await admission.admit(own)) as Admitted;
    expect(admitted).toMatchObject({ entry: own, publisher: "Acme", keyid: keyidOf(ACME.vkey) });
    expect(admitted.identity).toEqual(entryIdentity(own));
  });

  it("admits every type that its publisher may use", async () => {
    expect(await outcome(await seal(provenanceStatement("acme-other"), ACME))).toBe("admitted");
    expect(await outcome(await seal(sbomStatement("acme-a", "acme-b"), ACME))).toBe("admitted");
    expect(await outcome(await seal(rebuildOf(1), ACME))).toBe("admitted");
    expect(await outcome(await seal(releaseStatement("globex"), GLOBEX))).toBe("admitted");
  });

  it("admits rebuilds of anybody's releases, here and elsewhere, by those who may speak about anything", async () => {
    expect(await outcome(await seal(rebuildOf(1), REBUILDER))).toBe("admitted");
    expect(await outcome(await seal(rebuildOf(2), REBUILDER))).toBe("admitted");
    const { of } = rebuildOf(1).predicate as { of: { index: number; leafHash: string } };
    const elsewhere = rebuildOf(1, { of: { ...of, origin: "example.net/log" } });
    expect(await outcome(await seal(elsewhere, REBUILDER))).toBe("admitted");
    expect(await outcome(await seal(elsewhere, ACME))).toBe("BP-ADMIT-011");
  });
});

describe("hostile bodies: whatever is sent, the answer is a decision, and soon", () => {
  const decide = async (body: Uint8Array): Promise<void> => {
    const start = performance.now();
    const answer = await admission.admit(body);
    expect("code" in answer ? answer.code : "admitted").toMatch(/^(BP-ADMIT-0\d\d|admitted)$/);
    expect(performance.now() - start).toBeLessThan(2000);
  };

  it("decides over any bytes", () =>
    fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), decide), { numRuns: 500 }));

  it("decides over any change of one byte of an envelope, and admits none of them", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(own.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const body = own.slice();
        body[at] = (body[at] ?? 0) ^ flip;
        expect(await outcome(body)).not.toBe("admitted");
      }),
      { numRuns: 300 },
    ));

  it("decides over any JSON that a publisher signed", () =>
    fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6 }), async (payload) => decide(await sealText(payload, ACME))),
      { numRuns: 150 },
    ));

  it("decides over any statement with parts exchanged", () => {
    const base = JSON.parse(payloadOf(own)) as Record<string, JsonValue>;
    const paths = fc.constantFrom("_type", "subject", "predicateType", "predicate");
    return fc.assert(
      fc.asyncProperty(paths, fc.jsonValue(), async (path, value) =>
        decide(await sealText(JSON.stringify({ ...base, [path]: value }), ACME)),
      ),
      { numRuns: 150 },
    );
  });
});
