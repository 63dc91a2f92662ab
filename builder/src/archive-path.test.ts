import { posix } from "node:path";
import fc from "fast-check";
import { ParseError } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { parseArchivePath, parseLinkTarget } from "./archive-path.ts";

describe("paths out of packages", () => {
  it.each([
    ["./usr/bin/make", "usr/bin/make"],
    ["usr/share/", "usr/share"],
    ["./", ""],
    [".", ""],
    ["./bin/sh", "usr/bin/sh"],
    ["lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"],
    ["./sbin", "usr/sbin"],
    ["library/x", "library/x"],
    ["...", "..."],
    ["usr/share/ca/Türk.crt", "usr/share/ca/Türk.crt"],
  ])("takes %s as %s", (name, path) => {
    expect(parseArchivePath(name)).toBe(path);
  });

  it.each([
    ["an absolute path", "/etc/passwd"],
    ["a climbing path", "../etc/passwd"],
    ["a path that climbs later", "usr/../../etc"],
    ["a climbing end", "usr/.."],
    ["an inner dot", "usr/./bin"],
    ["two dots after the first", "././x"],
    ["an empty name", "usr//bin"],
    ["no name", ""],
    ["a NUL", "a\0b"],
    ["a newline", "a\nb"],
    ["bytes that were not UTF-8", "a\ufffdb"],
    ["a name longer than a file system takes", "a".repeat(256)],
    ["a path longer than the system takes", "a/".repeat(3000)],
  ])("refuses %s", (_, name) => {
    expect(() => parseArchivePath(name)).toThrow(ParseError);
  });

  it("never leads out of the root, whatever the name", () => {
    const part = fc.constantFrom("..", ".", "", "a", "bin", "usr", "/", "\\", "…");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join("/")),
        ),
        (name) => {
          let path: string;
          try {
            path = parseArchivePath(name);
          } catch (cause) {
            expect(cause).toBeInstanceOf(ParseError);
            return;
          }
          expect(path.startsWith("/")).toBe(false);
          expect(path === "" ? "" : posix.normalize(path)).toBe(path);
          expect(path.split("/")).not.toContain("..");
        },
      ),
    );
  });
});

describe("link targets out of packages", () => {
  it.each([
    ["usr/bin/awk", "gawk", "gawk"],
    ["usr/lib/x/liba.so", "/lib/x/liba.so.1", "../../../lib/x/liba.so.1"],
    ["var/run", "/run", "../run"],
    ["top", "/", "."],
    ["usr/share/doc/a", "../b/", "../b/"],
    ["etc/mtab", "../proc/self/mounts", "../proc/self/mounts"],
  ])("gives %s -> %s the target %s", (path, target, expected) => {
    expect(parseLinkTarget(path, target)).toBe(expected);
  });

  it.each([
    ["a target above the root", "a", ".."],
    ["a target above the root, and back", "usr/a", "../../usr/b"],
    ["an absolute target that climbs", "usr/a", "/../etc/shadow"],
    ["no target", "a", ""],
    ["a NUL", "a", "b\0c"],
    ["a long target", "a", "b".repeat(5000)],
  ])("refuses %s", (_, path, target) => {
    expect(() => parseLinkTarget(path, target)).toThrow(ParseError);
  });

  it("stays inside the root by name, whatever the target", () => {
    const target = fc.array(fc.constantFrom("..", ".", "", "a", "b")).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.constantFrom("a", "a/b", "a/b/c"), target, (path, text) => {
        let relative: string;
        try {
          relative = parseLinkTarget(path, text);
        } catch (cause) {
          expect(cause).toBeInstanceOf(ParseError);
          return;
        }
        expect(relative.startsWith("/")).toBe(false);
        expect(posix.join(posix.dirname(path), relative).startsWith("..")).toBe(false);
      }),
    );
  });
});
