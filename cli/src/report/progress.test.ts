import { describe, expect, it } from "vitest";

import { Progress } from "./progress.ts";
import { stepLines } from "./step-lines.ts";
import { stepTree, treeLines, type Screen } from "./step-tree.ts";

const screenOf = (size: { columns?: number; rows?: number } = {}): Screen & { text: string } => ({
  text: "",
  columns: size.columns ?? 80,
  rows: size.rows ?? 24,
  color: false,
  now: () => 5000,
  write(text) {
    this.text += text;
  },
});

describe("progress", () => {
  it("prints a line for each start and end where there is no terminal, and no escape sequence", () => {
    let text = "";
    let now = 0;
    const progress = new Progress(
      () => stepLines((line) => (text += line)),
      () => now,
    );
    const build = progress.step("build");
    const inner = build.step("compile");
    inner.update("half");
    now = 2000;
    inner.done("cached");
    build.failed("step compile");
    expect(text).toBe(
      "build ...\n  compile ...\n  compile done (2.0 s): cached\nbuild failed (2.0 s): step compile\n",
    );
  });

  it("ends the steps below when a step ends, so that none keeps counting", () => {
    const progress = new Progress(() => stepLines(() => undefined));
    const outer = progress.step("outer");
    const inner = outer.step("inner");
    outer.failed();
    expect(inner.state).toBe("failed");
    inner.done();
    expect(inner.state).toBe("failed");
  });

  it("marks a step failed when its work throws, and passes the error on", async () => {
    const progress = new Progress(() => stepLines(() => undefined));
    await expect(progress.during("work", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(progress.roots[0]?.state).toBe("failed");
  });

  it("redraws the tree in place: up over what was drawn, then the new state", () => {
    const screen = screenOf();
    const progress = new Progress(
      (roots) => stepTree(screen, roots),
      () => 0,
    );
    const step = progress.step("build");
    step.step("compile");
    progress.line("log: /tmp/log");
    progress.close();
    expect(screen.text).toContain("log: /tmp/log\n");
    expect(screen.text).toContain("build");
    expect(screen.text).toContain("  … compile  5.0 s");
  });

  it("never draws more lines than the screen has, nor longer ones", () => {
    const screen = screenOf({ columns: 40, rows: 6 });
    const progress = new Progress(
      () => stepLines(() => undefined),
      () => 0,
    );
    for (let index = 0; index < 20; index++) progress.step(`step ${String(index)} ${"x".repeat(100)}`);
    const lines = treeLines(progress.roots, screen, false);
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines.at(-1)).toContain("step 19");
  });
});
