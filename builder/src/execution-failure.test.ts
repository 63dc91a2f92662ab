import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareAction, type PreparedAction } from "./action.ts";
import { describeEnd, type EndOfRun } from "./execution-failure.ts";
import { defaultLimits } from "./executor.ts";
import { openTestStore, steps, testRecipe } from "./host-toolchain.testing.ts";
import { openToolchainRoot } from "./toolchain-root.ts";

const FINE: EndOfRun = { outOfMemory: false, free: 2 ** 40, limits: defaultLimits() };
const FAILED = { kind: "step-failed", step: 1, status: 1 } as const;

describe("why a run did not end well", () => {
  let folder: string;
  let log: string;
  let action: PreparedAction;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "bootproof-end-"));
    log = join(folder, "log");
    writeFileSync(log, "cc1: said so\n");
    const { recipe, lock } = testRecipe(steps("true"));
    const toolchain = await openToolchainRoot(await openTestStore(folder), lock.lock.packages);
    action = prepareAction(recipe.recipe, lock.lock, toolchain);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("a step's own failure is the recipe's, with its last lines", async () => {
    const error = await describeEnd(FAILED, action, log, FINE);
    expect(error).toMatchObject({ code: "BP-BUILD-001", issues: ["cc1: said so"], file: log });
  });

  it.each<[string, Partial<EndOfRun>]>([
    ["BP-BUILD-006", { free: 0 }],
    ["BP-BUILD-007", { outOfMemory: true, free: 0 }],
  ])("%s, not the recipe's, when the machine had none left: %j", async (code, machine) => {
    const error = await describeEnd(FAILED, action, log, { ...FINE, ...machine });
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/larger|more/) as string });
  });

  it("BP-BUILD-006 for a build that was stopped before the disk was full", async () => {
    const error = await describeEnd({ kind: "killed", why: "disk" }, action, log, FINE);
    expect(error.code).toBe("BP-BUILD-006");
  });
});
