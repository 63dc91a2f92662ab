import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { KEYS } from "../world.testing.ts";
import { releaseLeaf, watch, WATCHED } from "./monitored.testing.ts";

describe("a statement about one of my names", () => {
  it("is told as information when one of my publishers signed it", async () => {
    const { alerts } = await watch([utf8("x"), await releaseLeaf("snp-guest", "1")]);
    expect(alerts.filter(({ rule }) => rule === "new-statement")).toMatchObject(
      [
        { severity: "info", subject: "snp-guest 1", entries: [1n], summary: /published by example\.org/u },
      ].map((one) => ({ ...one, summary: expect.stringMatching(one.summary) as string })),
    );
  });

  it.each([
    ["a stranger signed it", () => releaseLeaf("snp-guest", "1", { by: KEYS.stranger })],
    ["a publisher signed what is not theirs", () => releaseLeaf("snp-else", "1")],
  ])("is an alarm when %s", async (_, leaf) => {
    const { alerts } = await watch([await leaf()]);
    expect(alerts).toMatchObject([{ rule: "new-statement", severity: "alarm" }]);
  });

  it("is an alarm when its signature by my publisher's key is another's", async () => {
    const honest = new TextDecoder().decode(await releaseLeaf("snp-guest", "1"));
    const other = new TextDecoder().decode(await releaseLeaf("snp-guest", "2"));
    const sig = (text: string): string => /"sig":"([^"]+)"/.exec(text)?.[1] ?? "";
    const { alerts } = await watch([utf8(honest.replace(sig(honest), sig(other)))]);
    expect(alerts).toMatchObject(
      [{ severity: "alarm", details: { reason: /does not verify/ } }].map((one) => ({
        ...one,
        details: { reason: expect.stringMatching(one.details.reason) as string },
      })),
    );
  });

  it("is a warning when no publishers are configured, and nothing when the name is not mine", async () => {
    const watched = { ...WATCHED, publishers: [] };
    const leaves = [await releaseLeaf("snp-guest", "1"), await releaseLeaf("others", "1")];
    const { alerts } = await watch(leaves, { watched });
    expect(alerts.map(({ severity, subject }) => [severity, subject])).toEqual([["warning", "snp-guest 1"]]);
  });
});
