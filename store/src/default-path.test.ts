import { homedir } from "node:os";
import { describe, expect, it } from "vitest";
import { defaultStorePath } from "./default-path.ts";

describe("where the store lies: two runs must not build everything twice", () => {
  it.each([
    [{ BOOTPROOF_STORE: "/big/disk", XDG_CACHE_HOME: "/cache", HOME: "/home/a" }, "/big/disk"],
    [{ BOOTPROOF_STORE: "", XDG_CACHE_HOME: "/cache", HOME: "/home/a" }, "/cache/bootproof"],
    [{ XDG_CACHE_HOME: "relative", HOME: "/home/a" }, "/home/a/.cache/bootproof"],
    [{ HOME: "/home/a" }, "/home/a/.cache/bootproof"],
    [{}, `${homedir()}/.cache/bootproof`],
  ])("%j -> %s", (env, path) => {
    expect(defaultStorePath(env)).toBe(path);
  });

  it("makes a relative path absolute, so that it does not move with the working directory", () => {
    expect(defaultStorePath({ BOOTPROOF_STORE: "store" })).toBe(`${process.cwd()}/store`);
  });
});
