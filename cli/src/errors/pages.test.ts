import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { ParseError } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";

import { EXIT } from "../frame/exit-code.ts";
import { PAGES } from "./pages.ts";
import { PARSE_CODES } from "./parse-pages.ts";
import { toFailure } from "./to-failure.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CODE = /\bBP-[A-Z]+-[0-9]{3}\b/g;

async function codesInSources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const room of [
    "bytes",
    "store",
    "ovmf",
    "boot",
    "statement",
    "measure",
    "log",
    "builder",
    "verify",
    "service",
    "cli",
  ]) {
    const names = await readdir(join(ROOT, room, "src"), { recursive: true });
    for (const name of names.filter((file) => file.endsWith(".ts") && !/\.(test|testing)\.ts$/.test(file))) {
      const text = await readFile(join(ROOT, room, "src", name), "utf8");
      for (const [code] of text.matchAll(CODE)) found.set(code, join(room, "src", name));
    }
  }
  return found;
}

describe("error codes", () => {
  it("all have a page, or a user who looks one up finds nothing", async () => {
    const missing = [...(await codesInSources())].filter(([code]) => PAGES[code] === undefined);
    expect(missing).toEqual([]);
  });

  it("that have a page exist, or the pages describe what is no more", async () => {
    const codes = await codesInSources();
    expect(Object.keys(PAGES).filter((code) => !codes.has(code))).toEqual([]);
  });

  it("give malformed input exit status 65, each kind a code of its own", () => {
    const codes = Object.values(PARSE_CODES);
    expect(new Set(codes).size).toBe(codes.length);
    const failure = toFailure(
      new ParseError("TRUNCATED", "table", { offset: 7, expected: "2 bytes", found: "1" }),
      "f.fd",
    );
    expect(failure).toMatchObject({ code: "BP-PARSE-001", exit: EXIT.malformed });
    expect(failure.detail).toMatchObject({ file: "f.fd", offset: 7, expected: "2 bytes", found: "1" });
  });

  it("turn an error that nobody foresaw into our bug, never into the user's", () => {
    expect(toFailure(new TypeError("x is undefined"))).toMatchObject({ code: "BP-BUG-001", exit: EXIT.bug });
    expect(toFailure("thrown text")).toMatchObject({ code: "BP-BUG-001" });
  });

  it("tell a full disk from a missing file", () => {
    const system = (code: string, syscall: string): Error =>
      Object.assign(new Error(code), { code, syscall, path: "/x" });
    expect(toFailure(system("ENOSPC", "write"))).toMatchObject({
      code: "BP-FILE-011",
      exit: EXIT.cannotWrite,
    });
    expect(toFailure(system("ENOENT", "open"))).toMatchObject({ code: "BP-FILE-001", exit: EXIT.noInput });
    expect(toFailure(system("EACCES", "mkdir"))).toMatchObject({
      code: "BP-FILE-012",
      exit: EXIT.cannotWrite,
    });
  });
});
