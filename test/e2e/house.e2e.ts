import { readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Lints `source` as if it stood at `file`, and returns the rules it breaks. */
async function brokenRules(file: string, source: string): Promise<string[]> {
  const { stdout } = await execa("eslint", ["--stdin", "--stdin-filename", file, "--format", "json"], {
    cwd: ROOT,
    preferLocal: true,
    input: source,
    reject: false,
    env: { NX_DAEMON: "false" },
  });
  const [result] = JSON.parse(stdout) as { messages: { ruleId: string | null }[] }[];
  return (result?.messages ?? []).map((message) => message.ruleId ?? "parse");
}

describe("the house: a boundary that lint does not hold is a boundary that is gone", () => {
  // An existing file's name, so that the type-aware parser knows it.
  it.each([
    [
      "bytes/src/hex.ts",
      'import { x } from "@bootproof/log"; export { x };',
      "@nx/enforce-module-boundaries",
    ],
    [
      "log/src/index.ts",
      'import { x } from "@bootproof/measure"; export { x };',
      "@nx/enforce-module-boundaries",
    ],
    [
      "measure/src/index.ts",
      'import { x } from "@bootproof/store"; export { x };',
      "@nx/enforce-module-boundaries",
    ],
    [
      "measure/src/index.ts",
      'import { readFileSync } from "node:fs"; export { readFileSync };',
      "no-restricted-imports",
    ],
    ["verify/src/index.ts", "export const id = process.pid;", "no-restricted-globals"],
    [
      "log/src/index.ts",
      'import { sha256 } from "@noble/hashes/sha2.js"; export { sha256 };',
      "no-restricted-imports",
    ],
    ["cli/src/index.ts", 'import { execa } from "execa"; export { execa };', "no-restricted-imports"],
  ])("refuses in %s: %s", async (file, source, rule) => {
    expect(await brokenRules(file, source)).toContain(rule);
  });

  it("names no package registry or mirror in any tracked file", async () => {
    const { stdout } = await execa("git", ["ls-files"], { cwd: ROOT });
    // Put together here, so that this file passes its own test.
    const hosts = [
      ["debian", "org"],
      ["npmjs", "org"],
      ["pypi", "org"],
      ["crates", "io"],
      ["proxy.golang", "org"],
    ].map((parts) => parts.join("."));
    const found: string[] = [];
    for (const file of stdout.split("\n")) {
      const text = await readFile(path.join(ROOT, file), "utf8").catch(() => "");
      for (const host of hosts) if (text.includes(host)) found.push(`${file}: ${host}`);
    }
    expect(found).toEqual([]);
  });
});
