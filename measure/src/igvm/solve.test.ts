import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { asDigest, parseDigest, parseHex, sha384, utf8 } from "@bootproof/bytes";
import { vectors } from "../snp/vectors.testing.ts";
import { measureIgvm } from "./measure-igvm.ts";
import { solveIgvm } from "./solve.ts";
import type { IgvmClaim } from "./solve-space.ts";

const all = vectors<{ name: string; file: string; digests: Record<string, string> }>("igvm.json");
const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../vectors/igvm/${name}.igvm`, import.meta.url)));
const basic = file("igvm-01-basic");

const named = (observed: string, claim: IgvmClaim) => {
  const { verdict, match } = solveIgvm(claim, parseDigest("sha384", observed));
  return [verdict, ...(match?.differences ?? []).map(({ input, found }) => `${input}: ${found}`)];
};

const measured = (shape: Parameters<typeof measureIgvm>[1]): string =>
  measureIgvm(basic, shape).registers["launchDigest"] ?? "";

describe("solveIgvm: which guest with this IGVM file gave this launch digest", () => {
  it("says yes to the file as QEMU and KVM launch it", () => {
    expect(named(measured({ vcpus: 1 }), { igvm: basic, vcpus: 1 })).toEqual(["match"]);
  });

  it("names the number of vCPUs, and the CPU of those that the file does not describe", () => {
    const claim = { igvm: basic, vcpus: 1, cpu: { signature: 0xa00f11 } };
    expect(named(measured({ vcpus: 4, vcpuSig: 0xa00f11 }), claim)).toEqual([
      "other-shape",
      "vcpus: 4 vCPUs",
    ]);
    expect(named(measured({ vcpus: 4, vcpuSig: 0xa10f11 }), { ...claim, vcpus: 4 })).toEqual([
      "other-shape",
      "cpu: CPU signature 0xa10f11 (Genoa)",
    ]);
  });

  it("names the tool whose reading it is, for every file and reading of the vectors", () => {
    let named = 0;
    for (const { name, digests } of all)
      for (const [reading, digest] of Object.entries(digests)) {
        if (!/^[0-9a-f]{96}$/.test(digest) || digest === digests["qemu"]) continue;
        const solution = solveIgvm(
          { igvm: file(name), vcpus: 1, cpu: { signature: 0x800f12 } },
          parseDigest("sha384", digest),
        );
        expect([name, reading, solution.verdict]).toEqual([name, reading, "other-shape"]);
        const readings = [solution.match, ...solution.equivalent].flatMap(
          (match) => match?.differences.map(({ found }) => found) ?? [],
        );
        expect(readings.join()).toContain(`as ${reading} reads it`);
        named++;
      }
    expect(named).toBeGreaterThan(5);
  });

  it("says what it tried when nothing matches", () => {
    const solution = solveIgvm({ igvm: basic, vcpus: 1 }, sha384(utf8("another file")));
    expect(solution).toMatchObject({ verdict: "none", finding: undefined });
    expect(solution.axes).toContainEqual({ input: "reading", values: 5 });
  });

  it("reads no report of a guest that the file does not start", () => {
    const zeros = asDigest("sha384", parseHex("00".repeat(48), "digest"));
    expect(solveIgvm({ igvm: basic }, zeros).verdict).toBe("none");
  });
});
