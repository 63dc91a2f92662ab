import path from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { ROOT, scratch } from "./command.ts";

describe("the backup drill of the documentation", () => {
  it("restores a log that nothing was published to since, and is refused every other time", async () => {
    const drill = path.join(ROOT, "docs/how-to/back-up-a-log.sh");
    const PATH = `${path.join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
    const { stdout } = await execa("sh", [drill, await scratch("drill")], { env: { PATH, CI: "true" } });
    expect(stdout.match(/^== /gm)).toHaveLength(6);
    expect(stdout).toMatch(/BP-LOG-005[^]*BP-LOG-009[^]*the log shrank[^]*yes: the log has only grown\s*$/);
  });
});
