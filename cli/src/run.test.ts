import { describe, expect, it } from "vitest";

import { run } from "./run.testing.ts";

interface Document {
  error: { code: string; message: string; hint?: string };
}

describe("the frame", () => {
  it("says which verb was probably meant, with exit status 64", async () => {
    const { exit, stderr, stdout } = await run(["verison"]);
    expect(exit).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/unknown command 'verison'\nhint: did you mean version\?\ncode: BP-USAGE-001/);
  });

  it("gives programs one JSON document on stdout, also for a wrong command line", async () => {
    const { exit, stderr, stdout } = await run(["version", "--jsno", "--json"]);
    expect(exit).toBe(64);
    expect(stderr).toBe("");
    expect((JSON.parse(stdout) as Document).error).toMatchObject({ code: "BP-USAGE-001" });
  });

  it("takes the options of every verb before and after the verb", async () => {
    for (const argv of [
      ["--json", "version"],
      ["version", "--json"],
    ])
      expect(JSON.parse((await run(argv)).stdout)).toMatchObject({ schema: "bootproof/version/1" });
  });

  it("does not take the value of an option for an option", async () => {
    const { exit, stderr } = await run([
      "measure",
      "snp",
      "--ovmf",
      "/nope",
      "--vcpus",
      "1",
      "--append",
      "--json",
    ]);
    expect(exit).toBe(66);
    expect(stderr).toContain("BP-FILE-001");
  });

  it("helps on stdout with 0 when asked, on stderr with 64 when nothing is typed", async () => {
    const asked = await run(["--help"]);
    expect(asked).toMatchObject({ exit: 0, stderr: "" });
    expect(asked.stdout).toContain("measure");
    const nothing = await run([]);
    expect(nothing).toMatchObject({ exit: 64, stdout: "" });
    expect(nothing.stderr).toContain("measure");
  });

  it("names a missing input file, with exit status 66 and no stack", async () => {
    const { exit, stderr } = await run(["key", "show", "/no/such/key"]);
    expect(exit).toBe(66);
    expect(stderr).toContain("/no/such/key: no such key file");
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("colours errors only when asked or on a terminal", async () => {
    expect((await run(["key", "show", "/nope"])).stderr).not.toContain("\u001b[");
    expect((await run(["key", "show", "/nope", "--color"])).stderr).toContain("\u001b[31m");
    expect((await run(["key", "show", "/nope", "--color"], { NO_COLOR: "1" })).stderr).toContain(
      "\u001b[31m",
    );
  });

  it("explains a code in any case, and refuses one that does not exist", async () => {
    expect((await run(["explain", "bp-lock-003"])).stdout).toContain("BP-LOCK-003: ");
    expect((await run(["explain", "BP-NONE-999"])).exit).toBe(64);
  });

  it("shows the stack only with --verbose", async () => {
    expect((await run(["key", "show", "/nope", "--verbose"])).stderr).toMatch(/^\s+at /m);
  });
});
