import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowedProcessors } from "./conditions.ts";
import { openTestStore, steps, testRecipe } from "./host-toolchain.testing.ts";
import type { BuildStore } from "./toolchain-root.ts";
import { buildTwice } from "./twice.ts";

let folder: string;
let store: BuildStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootproof-twice-"));
  store = await openTestStore(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("building twice", () => {
  const twice = (run: string): ReturnType<typeof buildTwice> =>
    buildTwice(testRecipe(steps(run)), { store, inputs: { offline: true } }, () => "the tail");

  it("says IDENTICAL when nothing of the second place shows in the output, and lists what was varied", async () => {
    const result = await twice("echo fixed > out");
    expect(result.verdict).toBe("IDENTICAL");
    const varied = result.components[0]?.variations.map(({ what }) => what);
    expect(varied).toContain("build path");
    expect(varied).toContain("directory order");
    expect(varied).toContain("time");
  });

  it("shows the place when an output holds chance", async () => {
    const result = await twice("{ head -c 1000 /dev/zero; head -c 16 /dev/urandom; } > out");
    expect(result.verdict).toBe("DIVERGED");
    const difference = result.components[0]?.comparison.artifacts[0]?.difference;
    expect(difference?.offset).toBeGreaterThanOrEqual(1000);
    expect(difference?.section).toBe("the tail");
    expect(difference?.first).not.toBe(difference?.second);
  });

  it.each([
    ["build path", "echo $PWD > out"],
    ["user", "id -u > out"],
    ["home", "echo $HOME > out"],
    ["host name", "cat /proc/sys/kernel/hostname > out"],
    ["umask", "touch f; stat -c %a f > out"],
    ["locale", "echo $LC_ALL > out"],
    ["time zone", "echo $TZ > out"],
    ["time", "echo $FAKETIME > out"],
    ["kernel release", "uname -r > out"],
    ["addresses", "head -n 1 /proc/self/maps > out"],
  ])("finds an output that depends on the %s", async (_, run) => {
    expect((await twice(run)).verdict).toBe("DIVERGED");
  });

  it("finds an output that depends on the number of processors", async (test) => {
    if (allowedProcessors().length < 2) test.skip("this machine has one processor");
    expect((await twice("nproc > out")).verdict).toBe("DIVERGED");
  });

  it("finds an output that depends on the order of a directory", async (test) => {
    const { verdict, components } = await twice(
      "for i in {1..200}; do echo > f$i; done; ls -U > /tmp/order; cp /tmp/order out",
    );
    const order = components[0]?.variations.find(({ what }) => what === "directory order");
    if (order?.second !== "tmpfs") test.skip(`directory order: ${order?.second ?? ""}`);
    expect(verdict).toBe("DIVERGED");
  });
});
