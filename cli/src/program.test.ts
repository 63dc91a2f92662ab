import { describe, expect, it } from "vitest";

import { Frame } from "./frame/frame.ts";
import { makeProgram, neededVerbs, VERB_NAMES } from "./program.ts";
import { run } from "./run.testing.ts";

const nowhere = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: {},
  cwd: "/",
  signal: new AbortController().signal,
};

describe("loading only the verb that was typed", () => {
  it("shows the same help of each verb as the whole program does, down to the verbs it groups", async () => {
    const whole = await makeProgram(new Frame(nowhere));
    expect(whole.commands.map((command) => command.name())).toEqual(VERB_NAMES);
    for (const verb of whole.commands) {
      const [alone, ...others] = (await makeProgram(new Frame(nowhere), [verb.name()])).commands;
      expect(others).toEqual([]);
      expect(alone?.helpInformation()).toBe(verb.helpInformation());
      expect(alone?.commands.map((command) => command.helpInformation())).toEqual(
        verb.commands.map((command) => command.helpInformation()),
      );
    }
  });

  it.each([
    ["measure snp --ovmf verify", ["measure"]],
    ["--json --out lock measure snp", ["measure"]],
    ["--out=lock --store key -- log add", ["log"]],
    ["measure --version", ["measure"]],
    ["--version", []],
    ["-V lock", []],
    ["--out --version", VERB_NAMES],
    ["measur", VERB_NAMES],
    ["toString", VERB_NAMES],
    ["--help", VERB_NAMES],
    ["", VERB_NAMES],
  ] as const)("finds what `bootproof %s` needs", (line, verbs) => {
    expect(neededVerbs(line.split(" ").filter(Boolean))).toEqual(verbs);
  });

  it("still knows the verb that was meant", async () => {
    const { exit, stderr } = await run(["measur", "snp"]);
    expect(exit).toBe(64);
    expect(stderr).toContain("did you mean measure?");
  });
});
