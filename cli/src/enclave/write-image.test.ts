import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whyRefused } from "./eif-verdict.ts";
import { writeImage } from "./write-image.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("an image that replaces a file", () => {
  it("is not readable by more people than the file was", async () => {
    const out = join(folder, "app.eif");
    await writeFile(out, "before");
    await chmod(out, 0o600);
    const sections = (["kernel", "cmdline", "metadata", "ramdisk"] as const).map((type) => ({
      type,
      bytes: Uint8Array.of(123, 125),
    }));
    await writeImage({ architecture: "x86_64", sections }, out, {});
    const { mode, size } = await stat(out);
    expect(size).toBeGreaterThan(548);
    expect(mode & 0o777).toBe(0o600);
  });
});

describe("why nothing is said of a file", () => {
  const finding = (code: "BP-EIF-004" | "BP-EIF-024") =>
    ({ code, severity: "refused", message: "" }) as const;
  it("is not called a secret of the format when a section is only too large for us", () => {
    expect(whyRefused([finding("BP-EIF-024")])).toBe("a section is larger than is read here");
    expect(whyRefused([finding("BP-EIF-024"), finding("BP-EIF-004")])).toContain("not public");
  });
});
