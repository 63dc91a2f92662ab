import { describe, expect, it } from "vitest";
import { CPU_MODELS, cpuModelSignature, cpuModelTrap, cpuSignature } from "./cpu-models.ts";
import { vectors } from "./vectors.testing.ts";

interface ModelVector {
  readonly name: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly signature: string;
}

const models = vectors<ModelVector>("cpu-models.json");
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe("CPU models: the name in a launch command gives the signature that is measured", () => {
  it.each(models)("$name is $signature", ({ name, family, model, stepping, signature }) => {
    expect(cpuModelSignature(name)).toBe(Number(signature));
    expect(cpuSignature({ family, model, stepping })).toBe(Number(signature));
  });

  it("knows exactly QEMU's names", () => {
    expect([...CPU_MODELS].sort()).toEqual(models.map(({ name }) => name).sort());
  });

  it("helps with a name in the wrong case, with host, and with a name of no model", () => {
    expect(() => cpuModelSignature("epyc-milan")).toThrow(
      expect.objectContaining({ code: "BP-SNP-002", hint: "did you mean EPYC-Milan?" }) as Error,
    );
    for (const name of ["host", "max"])
      expect(() => cpuModelSignature(name)).toThrow(
        expect.objectContaining({ hint: expect.stringContaining("silicon") as string }) as Error,
      );
    expect(() => cpuModelSignature("EPYC-v6")).toThrow(code("BP-SNP-002"));
    expect(() => cpuModelSignature("toString")).toThrow(code("BP-SNP-002"));
  });

  it("warns that EPYC-v4 is the first generation, and of no other line", () => {
    expect(cpuModelTrap("EPYC-v4")).toContain("Naples");
    for (const fine of ["EPYC", "EPYC-v1", "EPYC-Milan-v4", "Dhyana-v2"])
      expect(cpuModelTrap(fine)).toBeUndefined();
  });

  it("refuses families, models and steppings that no signature can hold", () => {
    for (const [family, model, stepping] of [
      [271, 0, 0],
      [25, 256, 0],
      [25, 1, 16],
      [-1, 0, 0],
      [25.5, 0, 0],
    ] as const)
      expect(() => cpuSignature({ family, model, stepping })).toThrow(code("BP-SNP-003"));
  });
});
