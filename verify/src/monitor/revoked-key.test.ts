import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { releaseLeaf, watch, WATCHED } from "./monitored.testing.ts";

describe("a revoked key", () => {
  it("is an alarm whatever it signs, also names that are not mine", async () => {
    const { alerts } = await watch([await releaseLeaf("x", "1", { by: KEYS.otherLog })]);
    expect(alerts).toMatchObject([
      {
        rule: "revoked-key",
        severity: "alarm",
        subject: expect.stringMatching(/^example\.net\/log\+/) as string,
      },
    ]);
  });

  it("is none when it is only named beside another signature", async () => {
    const leaf = new TextDecoder().decode(await releaseLeaf("x", "1", { by: KEYS.stranger }));
    const id = ({ vkey }: (typeof KEYS)["log"]): string => `${vkey.name}+${vkey.keyId}`;
    const named = utf8(leaf.replace(id(KEYS.stranger), id(KEYS.otherLog)));
    expect((await watch([named], { watched: WATCHED })).alerts).toEqual([]);
  });
});
