import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, equalBytes, sha256, utf8 } from "@bootproof/bytes";
import type { Axis, Choice } from "./axis.ts";
import { choices } from "./choices.ts";
import { solve } from "./solve.ts";
import type { Climb, Space, Stage } from "./space.ts";

// A platform of three inputs and a counter: its register is a hash of the inputs, hashed once more a count.
const axis = (name: string, standing: Axis["standing"], ...values: string[]): Axis<string> => {
  const [first = "", ...others] = values;
  const candidate = (value: string, surprise: number) => ({ value, label: `${name} ${value}`, surprise });
  return { name, standing, candidates: [candidate(first, 0), ...others.map((value) => candidate(value, 1))] };
};

class ToySpace implements Space {
  readonly axes = [
    axis("disk", "given", "a", "b", "c"),
    axis("mode", "assumed", "x", "y"),
    axis("chip", "open", "p", "q"),
  ];
  readonly ladder = {
    name: "count",
    standing: "given" as const,
    given: 3,
    rungs: 8,
    label: (rung: number) => `count ${rung}`,
    cause: () => undefined,
    tool: (rung: number) => (rung === 0 ? "a tool" : undefined),
  };
  climbs = 0;

  climb(choice: Choice): Climb {
    const words = choice.map((position, index) => this.axes[index]!.candidates[position]!.value);
    return {
      // Mode y is mode x for disk c: two names of one thing.
      key: words[0] === "c" ? `c ${words[2]}` : words.join(" "),
      digest: (rung) => this.digest(choice, rung),
      find: (needles, rungs) => {
        this.climbs++;
        let digest: Uint8Array = this.digest(choice, 0);
        for (let rung = 0; rung <= rungs; rung++) {
          const needle = needles.findIndex((wanted) => equalBytes(wanted, digest));
          if (needle >= 0) return { rung, needle };
          digest = sha256(digest);
        }
        return undefined;
      },
    };
  }

  digest(choice: Choice, rungs: number): Uint8Array {
    const words = choice.map((position, index) => this.axes[index]!.candidates[position]!.value);
    if (words[0] === "c") words[1] = "x";
    let digest: Uint8Array = sha256(concatBytes(...words.map((word) => utf8(word))));
    for (let rung = 0; rung < rungs; rung++) digest = sha256(digest);
    return digest;
  }

  ignored(): ReadonlySet<string> {
    return new Set();
  }

  stages(): Stage[] {
    return [
      { name: "as given", choices: choices(this.axes, { deviations: 0 }), rungs: 3 },
      { name: "one", choices: choices(this.axes, { deviations: 1 }), rungs: 3 },
      { name: "all", choices: choices(this.axes, {}), rungs: 8 },
    ];
  }
}

const find = (choice: Choice, rung: number) => {
  const space = new ToySpace();
  return solve(space, space.digest(choice, rung), space.stages());
};
const found = (choice: Choice, rung: number) =>
  find(choice, rung).match?.differences.map(({ given, found }) => [given, found]);

describe("solve: which inputs give the digest that a machine reported", () => {
  it("says yes only when what was given gives the digest", () => {
    expect(find([0, 0, 0], 3)).toMatchObject({ verdict: "match", match: { tools: [], reversed: false } });
  });

  it("fills in what was not given, and that is no contradiction", () => {
    expect(find([0, 0, 1], 3).verdict).toBe("match");
    expect(found([0, 0, 1], 3)).toEqual([[undefined, "chip q"]]);
  });

  it("never turns a no into a yes: a default that does not hold is a difference like any other", () => {
    expect(find([0, 1, 0], 3).verdict).toBe("other-shape");
    expect(found([0, 1, 0], 3)).toEqual([
      ["mode x", "mode y"],
      [undefined, "chip p"],
    ]);
  });

  it("names the number on the ladder", () => {
    expect(found([1, 0, 0], 7)).toEqual([
      ["3", "count 7"],
      ["disk a", "disk b"],
      [undefined, "chip p"],
    ]);
  });

  it("calls a tool's mistake by the tool's name, and no yes", () => {
    expect(find([0, 0, 0], 0)).toMatchObject({ verdict: "other-shape", match: { tools: ["a tool"] } });
  });

  it("recognises a digest that somebody wrote in reverse, and no yes", () => {
    const space = new ToySpace();
    const reversed = space.digest([0, 0, 0], 3).toReversed();
    expect(solve(space, reversed, space.stages())).toMatchObject({
      verdict: "other-shape",
      match: { reversed: true },
    });
  });

  it("names the fewest changes first, and leaves out names that say the same and more", () => {
    const solution = find([2, 1, 0], 5);
    expect(solution.match?.differences.map(({ found }) => found)).toEqual(["count 5", "disk c", "chip p"]);
    expect(solution.equivalent).toEqual([]);
  });

  it("says what it tried when nothing matches, and walks equal climbs once", () => {
    const space = new ToySpace();
    const solution = solve(space, new Uint8Array(32), space.stages());
    expect(solution).toMatchObject({ verdict: "none", match: undefined });
    expect(solution.stages.map(({ name, complete }) => [name, complete])).toEqual([
      ["as given", true],
      ["one", true],
      ["all", true],
    ]);
    expect(solution.axes).toContainEqual({ input: "disk", values: 3 });
    expect(solution.digests).toBe(solution.stages.reduce((sum, { digests }) => sum + digests, 0));
    // Ten different climbs; those of the first two stages once more for the higher counts.
    expect(space.climbs).toBeLessThanOrEqual(10 + 8);
  });

  it("stops where its budget ends, and says that the stage is not complete", () => {
    const space = new ToySpace();
    const solution = solve(space, new Uint8Array(32), space.stages(), {
      goOn: ({ digests }) => digests < 10,
    });
    expect(solution.verdict).toBe("none");
    expect(solution.digests).toBeLessThan(10 + 8);
    expect(solution.stages.at(-1)).toMatchObject({ complete: false });
  });

  it("finds every choice and number in its space", () => {
    const choice = fc.tuple(fc.nat(2), fc.nat(1), fc.nat(1));
    fc.assert(
      fc.property(choice, fc.integer({ min: 1, max: 8 }), (chosen, rung) => {
        const { match } = find(chosen, rung);
        expect(match?.rung).toBe(rung);
        expect(new ToySpace().digest(match!.choice, rung)).toEqual(new ToySpace().digest(chosen, rung));
      }),
    );
  });
});

describe("choices: each choice of a selection, one at a time", () => {
  const { axes } = new ToySpace();

  it("counts deviations without those of open axes", () => {
    const one = [...choices(axes, { deviations: 1 })];
    expect(one).toHaveLength((2 + 1) * 2);
    expect(one.every(([disk, mode]) => Math.sign(disk!) + Math.sign(mode!) === 1)).toBe(true);
  });

  it("changes only the axes that it is told to, and open ones", () => {
    const some = [...choices(axes, { axes: new Set(["mode"]) })];
    expect(some).toHaveLength(2 * 2);
    expect(some.every(([disk]) => disk === 0)).toBe(true);
  });

  it("makes each choice of the product once", () => {
    const all = [...choices(axes, {})].map(String);
    expect(all).toHaveLength(3 * 2 * 2);
    expect(new Set(all).size).toBe(all.length);
  });
});
