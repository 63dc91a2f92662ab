import { describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { formatStoreUrl, overlap, parseStoreUrl } from "./store-url.ts";

const whole = (text: string, env: Record<string, string> = {}): string =>
  formatStoreUrl(parseStoreUrl(text, "--objects", env));

describe("the URL of a store", () => {
  it("is remembered whole, so that another environment opens the same bucket", () => {
    const env = { AWS_REGION: "eu-central-1", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9000/" };
    const text = whole("s3://logs/a/b/", env);
    expect(text).toBe(
      "s3://logs/a/b?endpoint=http%3A%2F%2F127.0.0.1%3A9000&path-style=true&region=eu-central-1",
    );
    expect(whole(text, { AWS_REGION: "other" })).toBe(text);
    expect(whole("s3://logs")).toBe(
      "s3://logs/?endpoint=https%3A%2F%2Fs3.us-east-1.amazonaws.com&path-style=false&region=us-east-1",
    );
  });

  it.each([
    "postgres://user:s3cr3t@host/db",
    "postgres://host/db?password=s3cr3t",
    "s3://AKID:s3cr3t@logs/a",
    "s3://logs/a?endpoint=https://user:s3cr3t@host",
    "s3://logs/a?secret=s3cr3t&secret=s3cr3t",
    "s3://Logs_/a",
    "s3://logs/a/../b",
    "s3://logs/a?endpoint=ftp://host",
    "s3://logs/a?region=eu&region=us",
    "s3://logs/a?path-style=maybe",
    "file:///tmp/log",
    "logs",
    "",
  ])("is refused without repeating a secret: %s", async (url) => {
    const folder = await scratchFolder();
    for (const option of ["--objects", "--private-store"]) {
      const { exit, stderr } = await run(["log", "init", "--log", `${folder}/log`, option, url]);
      expect(exit).toBe(64);
      expect(stderr).not.toContain("s3cr3t");
    }
  });

  it.each([
    ["s3://logs/a", "s3://logs/a", true],
    ["s3://logs/a", "s3://logs/a/private", true],
    ["s3://logs/a/public", "s3://logs/a", true],
    ["s3://logs", "s3://logs/private", true],
    ["s3://logs/a", "s3://logs/ab", false],
    ["s3://logs/a", "s3://other/a", false],
    ["s3://logs/a", "postgres://host/a", false],
  ])("shows what is private when it lies in what is public: %s, %s", async (objects, hidden, isRefused) => {
    expect(overlap(parseStoreUrl(objects, "a"), parseStoreUrl(hidden, "b"))).toBe(isRefused);
    if (!isRefused) return;
    const folder = await scratchFolder();
    const argv = ["log", "init", "--log", `${folder}/log`, "--objects", objects, "--private-store", hidden];
    expect((await run(argv)).exit).toBe(64);
  });
});
