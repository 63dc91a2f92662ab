import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { KEY_TYPE } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { bootGuest, kernelHashes, type Guest } from "./guest.ts";
import { bootproof, bootproofJson, ROOT, scratch } from "./command.ts";

const seed = new Uint8Array(32).fill(7);
const OTHER_KEY = signerOf(makeSigningKey("other.example/key", seed)).vkey;
const WITNESS_KEY = signerOf(makeSigningKey("other.example/witness", seed, KEY_TYPE.cosignature)).vkey;
const RECIPE = path.join(ROOT, "boot/recipes/snp-guest.recipe.yaml");

interface Verdict {
  readonly answer: string;
  readonly checks: readonly { name: string; answer: string; reason: string }[];
}

describe("the main job: pinned sources become a logged launch digest that anyone can verify", () => {
  let folder: string;
  let out: string;
  let bundle: string;
  let policy: string;
  const artifact = (name: string): string => path.join(out, "artifacts", name);

  beforeAll(async () => {
    folder = await scratch("main-job");
    out = path.join(folder, "out");
    const released = await bootproof(["release", RECIPE, "--out", out]);
    expect(released.exitCode, released.stderr).toBe(0);
    expect(released.stdout).toMatch(/launchDigest\s+[0-9a-f]{96}/);
    const files = await readdir(out);
    const bundles = files.filter((name) => name.endsWith(".tlog-proof"));
    expect(bundles).toHaveLength(1);
    bundle = path.join(out, bundles[0]!);
    policy = path.join(
      out,
      files.find((name) => name.endsWith(".policy.yaml"))!,
    );
    for (const typed of [bundle, policy]) expect(released.stdout).toContain(path.basename(typed));
  });

  const guest = (): Guest => ({
    firmware: artifact("OVMF.fd"),
    kernel: artifact("vmlinuz"),
    initrd: artifact("initrd.cpio"),
    cmdline: artifact("cmdline"),
  });

  let bootTime = 60;

  it("boots: the firmware that was measured checks and starts the kernel and initrd that were measured", async () => {
    const start = performance.now();
    const serial = await bootGuest(guest(), folder, 300);
    bootTime = (performance.now() - start) / 1000;
    expect(serial).toMatch(/bootproof: init reached, kernel 6[0-9.]+/);
    expect(serial).toMatch(/bootproof: power off/);
  });

  it("does not boot what was not measured: one bit of the kernel's hash, and the firmware stops", async () => {
    const table = await kernelHashes(guest());
    table[0x76 + 18]! ^= 1;
    // It says nothing and halts, so it is given five times what the boot above took until it was through.
    expect(await bootGuest(guest(), folder, Math.max(10, Math.ceil(5 * bootTime)), table)).not.toMatch(
      /init reached/,
    );
  });

  it("publishes the digest that the artifacts alone give", async () => {
    const { registers } = await bootproofJson<{ registers: { launchDigest: string } }>(
      [
        "measure",
        "snp",
        "--ovmf",
        artifact("OVMF.fd"),
        "--vcpus",
        "4",
        "--vcpu-type",
        "EPYC-v4",
        "--guest-features",
        "0x1",
      ].concat([
        "--kernel",
        artifact("vmlinuz"),
        "--initrd",
        artifact("initrd.cpio"),
        "--append-file",
        artifact("cmdline"),
      ]),
      0,
    );
    const found = await bootproof(["lookup", registers.launchDigest, "--log", path.join(out, "log")]);
    expect(found.exitCode, found.stderr).toBe(0);
    expect(found.stdout).toMatch(/snp-guest/);
    const nobody = await bootproof(["lookup", "11".repeat(48), "--log", path.join(out, "log")]);
    expect(nobody.exitCode).not.toBe(0);
  });

  it("does nothing twice: a second release finds its entry in the log", async () => {
    const before = await readFile(path.join(out, "log/checkpoint"), "utf8");
    const bundleBefore = await readFile(bundle, "utf8");
    const released = await bootproof(["release", RECIPE, "--out", out]);
    expect(released.exitCode, released.stderr).toBe(0);
    expect(await readFile(bundle, "utf8")).toBe(bundleBefore);
    expect(await readFile(path.join(out, "log/checkpoint"), "utf8")).toBe(before);
  });

  it("verifies offline from its bundle, and each artifact with it", async () => {
    const verdict = await bootproofJson<Verdict>(["verify", bundle, "--policy", policy, "--offline"], 0);
    expect(verdict.answer).toBe("yes");
    expect(verdict.checks.every(({ answer }) => answer === "yes")).toBe(true);
  });

  it("audits: every leaf and tile of the log hashes to its checkpoint", async () => {
    const audit = await bootproof(["log", "audit", "--log", path.join(out, "log")]);
    expect(audit.exitCode, audit.stderr).toBe(0);
  });

  describe("a verifier is never told yes for what does not hold", () => {
    it.each([
      ["another publisher's key", (text: string) => text.replace(/(?<=key: ")[^"]+/, OTHER_KEY)],
      ["another log's key", (text: string) => text.replace(/(?<=logs:\n\s+- ")[^"]+/, OTHER_KEY)],
      ["a publisher of other names only", (text: string) => text.replace('["snp-guest"]', '["other-*"]')],
    ])("no with %s", async (_name, edit) => {
      const text = await readFile(policy, "utf8");
      const edited = edit(text);
      expect(edited).not.toBe(text);
      const file = path.join(folder, "edited.policy.yaml");
      await writeFile(file, edited);
      expect((await bootproof(["verify", bundle, "--policy", file])).exitCode).toBe(1);
    });

    it("could not decide when the policy asks for a witness that the bundle lacks", async () => {
      const text = await readFile(policy, "utf8");
      const edited = text.replace("witnesses: any", `witnesses: {need: 1, keys: ["${WITNESS_KEY}"]}`);
      const file = path.join(folder, "witness.policy.yaml");
      await writeFile(file, edited);
      const verdict = await bootproof(["verify", bundle, "--policy", file]);
      expect(verdict.exitCode, verdict.stdout + verdict.stderr).toBe(2);
    });

    it("65 for a bundle cut short at any line", async () => {
      const lines = (await readFile(bundle, "utf8")).split("\n");
      const file = path.join(folder, "cut.tlog-proof");
      for (const keep of [0, 1, 2, lines.length - 5, lines.length - 2]) {
        await writeFile(file, lines.slice(0, keep).join("\n"));
        const verdict = await bootproof(["verify", file, "--policy", policy]);
        expect(verdict.exitCode, `${keep} lines: ${verdict.stdout}${verdict.stderr}`).toBe(65);
      }
    });

    it("no or 65 for any changed character of the bundle", async () => {
      const text = await readFile(bundle, "utf8");
      const file = path.join(folder, "changed.tlog-proof");
      for (let index = 0; index < 12; index++) {
        const at = Math.floor(((index + 0.5) / 12) * text.length);
        const other = text[at] === "A" ? "B" : "A";
        await writeFile(file, text.slice(0, at) + other + text.slice(at + 1));
        const verdict = await bootproof(["verify", file, "--policy", policy]);
        expect([1, 2, 65], `at ${at}: ${verdict.stdout}${verdict.stderr}`).toContain(verdict.exitCode);
      }
    });

    it("names the tile when the log was tampered with", async () => {
      const copy = path.join(folder, "tampered");
      await execa("cp", ["-a", path.join(out, "log"), copy]);
      const { stdout } = await execa("find", [copy, "-path", "*tile/entries/*", "-type", "f"]);
      const bundleFile = stdout.split("\n").sort()[0]!;
      const bytes = await readFile(bundleFile);
      bytes[bytes.length >> 1]! ^= 1;
      await execa("chmod", ["u+w", bundleFile]);
      await writeFile(bundleFile, bytes);
      const audit = await bootproof(["log", "audit", "--log", copy]);
      expect(audit.exitCode).toBe(1);
      expect(audit.stdout + audit.stderr).toMatch(/tile\/entries/);
    });
  });

  it("rebuilds nothing from a tampered statement", async () => {
    const text = await readFile(bundle, "utf8");
    const file = path.join(folder, "forged.tlog-proof");
    const leaf = Buffer.from(/^extra (.*)$/m.exec(text)![1]!, "base64").toString();
    const payload = JSON.parse(leaf) as { payload: string };
    const forged = Buffer.from(
      Buffer.from(payload.payload, "base64").toString().replace("snp-guest", "snp-quest"),
    ).toString("base64");
    await writeFile(
      file,
      text.replace(
        /^extra .*$/m,
        `extra ${Buffer.from(leaf.replace(payload.payload, forged)).toString("base64")}`,
      ),
    );
    await mkdir(path.join(folder, "elsewhere"));
    await copyFile(policy, path.join(folder, "elsewhere/p.policy.yaml"));
    const rebuilt = await bootproof([
      "rebuild",
      file,
      "--policy",
      path.join(folder, "elsewhere/p.policy.yaml"),
    ]);
    expect([1, 65]).toContain(rebuilt.exitCode);
  });
});
