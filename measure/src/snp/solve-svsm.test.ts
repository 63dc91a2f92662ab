import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDigest, sha384, utf8 } from "@bootproof/bytes";
import type { Axis, Candidate } from "../solve/axis.ts";
import { cpuModelSignature } from "./cpu-models.ts";
import { PROFILES, SVSM_DEFAULT, snpProfile } from "./profiles.ts";
import { parseFirmwareReference } from "./reference-json.ts";
import { type MeasuredRegion, prepareRegions } from "./regions.ts";
import { resolveShape } from "./shape.ts";
import { solveSnp } from "./solve.ts";
import { imageLoaders, referenceLoader, regionLoader, type SnpLoader } from "./solve-loader.ts";
import { suffix, vectors } from "./vectors.testing.ts";

interface Row {
  readonly varsSize: number;
  readonly vcpus: number;
  readonly cpu: string;
  readonly by: "hardware" | "classic tool";
  readonly want: string;
}

const rows = vectors<Row>("svsm.json");
const { references } = JSON.parse(
  readFileSync(new URL("../../vectors/svsm.json", import.meta.url), "utf8"),
) as { references: Record<string, unknown> };

/** The loaders of the vectors' images, below stores of the three sizes that there are references of. */
function loaders(varsSize: number): Axis<SnpLoader> {
  const candidates = Object.entries(references).map(([size, reference]): Candidate<SnpLoader> => {
    const { candidates: only } = referenceLoader(parseFirmwareReference(utf8(JSON.stringify(reference))));
    return { ...only[0], label: `a variable store of ${size} bytes` };
  });
  const given = candidates.find(({ label }) => label.includes(` ${varsSize} `));
  const others = candidates.filter((candidate) => candidate !== given);
  return { name: "firmware", standing: "given", candidates: [given!, ...others] };
}

const claimed = (varsSize: number, vcpus: number, cpu: string) => ({
  firmware: loaders(varsSize),
  usualProfile: SVSM_DEFAULT,
  vcpus,
  cpu: { signature: cpuModelSignature(cpu), model: cpu },
});

describe("solveSnp: SVSM guests", () => {
  const hardware = rows.find(({ by }) => by === "hardware")!;
  const observed = parseDigest("sha384", hardware.want);

  it("says yes to the value that hardware reported", () => {
    const { verdict } = solveSnp(claimed(hardware.varsSize, 4, "EPYC-v4"), observed);
    expect(verdict).toBe("match");
  });

  it("names a wrong size of the variable store, and a wrong number of vCPUs beside it", () => {
    const { verdict, match } = solveSnp(claimed(131_072, 2, "EPYC-v4"), observed);
    expect(verdict).toBe("other-shape");
    expect(match?.differences.map(({ found }) => found)).toEqual([
      "4 vCPUs",
      `a variable store of ${hardware.varsSize} bytes`,
    ]);
  });

  it("names the tool whose mistake a value is, and never says yes to it", () => {
    const classic = rows.filter(({ by }) => by === "classic tool").slice(0, 6);
    for (const { varsSize, vcpus, cpu, want } of classic) {
      const { verdict, match } = solveSnp(claimed(varsSize, vcpus, cpu), parseDigest("sha384", want));
      expect(verdict).toBe("other-shape");
      expect(match?.tools).toEqual(["sev-snp-measure up to 0.0.13 with --mode snp:svsm"]);
    }
    expect(classic).toHaveLength(6);
  });
});

describe("solveSnp: guests made of regions", () => {
  const regions: MeasuredRegion[] = [{ guestAddress: 0x10_0000n, bytes: new Uint8Array(4096).fill(7) }];
  const claim = { firmware: regionLoader(regions), usualProfile: "libkrun", vcpus: 1 };

  it("finds the number of vCPUs", () => {
    const profile = snpProfile("libkrun");
    const observed = prepareRegions(regions, profile).digest(resolveShape({ profile: "libkrun", vcpus: 3 }));
    const { match } = solveSnp(claim, observed);
    expect(match?.differences.map(({ found }) => found)).toEqual(["3 vCPUs"]);
  });

  it("tries no profile that boots firmware", () => {
    const solution = solveSnp(claim, sha384(utf8("another")));
    expect(solution.axes).toContainEqual({ input: "profile", values: 1 });
  });
});

describe("solveSnp: guests whose profile boots no such image", () => {
  const firmware = imageLoaders(suffix("ovmf_AmdSev_suffix.bin"));
  const claim = { firmware, profile: "libkrun", vcpus: 1, cpu: { signature: 0x800f12 } };

  it("names the profile that does", () => {
    const observed = firmware.candidates[0].value
      .launch(snpProfile("qemu"), undefined)
      .digest(resolveShape({ vcpus: 1, vcpuSig: 0x800f12 }));
    const { match } = solveSnp(claim, observed);
    expect(match?.differences.map(({ found }) => found)).toEqual(["profile qemu-kvm-mainline"]);
  });

  it("leaves out what no profile of the image is", () => {
    const { axes } = solveSnp(claim, sha384(utf8("any")), { goOn: () => false });
    const { values } = axes.find(({ input }) => input === "profile")!;
    expect(values).toBeLessThan(PROFILES.length);
  });
});
