import * as v from "valibot";
import { describe, expect, it } from "vitest";

import { readYamlAs, strictKeys } from "./yaml-schema.ts";

const schema = strictKeys({ every: v.optional(v.string()), more: v.optional(strictKeys({})) });
const issues = (text: string): readonly string[] => {
  const reading = readYamlAs(schema, text, "file");
  return reading.ok ? [] : reading.issues;
};

describe("a mapping", () => {
  it.each(["{}", "{every: 1m}", "{more: {}}"])("may leave out what is optional: %s", (text) => {
    expect(issues(text)).toEqual([]);
  });

  it.each([
    ["[]", "file:1:1: expected a mapping, found a list"],
    ["[1]", "file:1:1: expected a mapping, found a list"],
    ["{more: []}", "file:1:8: more: expected a mapping, found a list"],
    ["word", 'file:1:1: expected a mapping, found "word"'],
    ["{evry: 1m}", "file:1:2: evry: unknown key; did you mean every?"],
  ])("is not what is written as %s, which would be taken for an empty one or worse", (text, issue) => {
    expect(issues(text)).toEqual([issue]);
  });
});
