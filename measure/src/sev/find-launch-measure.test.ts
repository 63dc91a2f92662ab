import { describe, expect, it } from "vitest";
import { asDigest, concatBytes } from "@bootproof/bytes";
import { findLaunchMeasure } from "./find-launch-measure.ts";
import { launchMeasure } from "./launch-measure.ts";

const tik = new Uint8Array(16).fill(7);
const mnonce = new Uint8Array(16).fill(9);
const told = {
  apiMajor: 1,
  apiMinor: 55,
  buildId: 3,
  policy: 5,
  launchDigest: asDigest("sha256", new Uint8Array(32).fill(1)),
};
const observe = (change: Partial<typeof told>): Uint8Array =>
  concatBytes(launchMeasure(tik, { ...told, ...change, mnonce }), mnonce);

describe("a launch measure that does not match: the owner has to learn what to ask the host", () => {
  it.each([
    [{ buildId: 37 }, "build ID 37"],
    [{ apiMinor: 58 }, "API minor version 58"],
    [{ apiMajor: 55, apiMinor: 1 }, "API major version 55, API minor version 1"],
    [{ policy: 1 }, "policy 0x1"],
    [{ apiMinor: 255, buildId: 255 }, "API minor version 255, build ID 255"],
  ])("finds %o", (change, differs) => {
    const found = findLaunchMeasure(tik, observe(change), told);
    expect(found).toEqual({ inputs: { ...told, ...change, mnonce }, differs });
  });

  it("finds nothing for another guest or key", () => {
    const other = observe({ launchDigest: asDigest("sha256", new Uint8Array(32).fill(2)) });
    expect(findLaunchMeasure(tik, other, told)).toBeUndefined();
  });
});
