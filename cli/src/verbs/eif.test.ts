import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { imageBytes, keyFile, putImage } from "../eif.testing.ts";
import { type Caught, run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

const CURVES = [
  ["es256", "ES256", "sha256"],
  ["es384", "ES384", "sha384"],
  ["es512", "ES512", "sha512"],
] as const;

let folder: string;
let unsigned: string;
let parts: string[];
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await scratchFolder();
  unsigned = await putImage(folder, "ok-2rd.eif");
  const bytes = await imageBytes("ok-2rd.eif");
  const stretches = { kernel: [560, 3001], cmdline: [3573, 69], rd0: [3899, 364], rd1: [4275, 628] } as const;
  for (const [name, [offset, size]] of Object.entries(stretches))
    await writeFile(at(name), bytes.subarray(offset, offset + size));
  parts = ["--kernel", at("kernel"), "--cmdline-file", at("cmdline")];
  parts.push("--ramdisk", at("rd0"), "--ramdisk", at("rd1"));
});

const json = ({ stdout }: Caught): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;
const codeOf = (caught: Caught): unknown => (json(caught)["error"] as { code: string }).code;
const signing = (name: string): string[] => [
  ...["--certificate", keyFile(`${name}.pem`), "--signing-key", keyFile(`${name}.TEST-ONLY.key`)],
];

describe("eif build", () => {
  it("writes the same bytes each time, with no time of day in them, and says that it measures as AWS's file", async () => {
    const [a, b] = [at("a/app.eif"), at("b/other.eif")];
    const made = await run(["eif", "build", ...parts, "--out", a, "--compare", unsigned]);
    expect(made.exit).toBe(0);
    expect(made.stdout).toMatch(/^PCR0 {2}b7eee595ee083386/m);
    expect(made.stderr).toContain("the kernel is neither a bzImage nor an arm64 Image");
    expect(made.stdout).toMatch(/^MEASUREMENT-EQUAL: .* metadata: expected 233 bytes, found /m);
    const again = await run(["eif", "build", ...parts, "--out", b, "--compare", a]);
    expect(again.stdout).toMatch(/^IDENTICAL: every byte is equal$/m);
    expect(await readFile(a)).toEqual(await readFile(b));
    expect((await readFile(a)).toString("latin1")).toContain('"BuildTime":"1970-01-01T00:00:00+00:00"');
    expect((await run(["inspect", a])).exit).toBe(0);
  });

  it("writes what eif_build writes, byte for byte, when the metadata are its own", async () => {
    // The metadata of AWS's file name its tool, so only what is not metadata can be the same.
    const aws = await imageBytes("a1.eif");
    const out = at("same.eif");
    await run(["eif", "build", ...parts, "--out", out]);
    const ours = await readFile(out);
    expect(ours.subarray(560, 560 + 3001 + 12 + 69)).toEqual(aws.subarray(560, 560 + 3001 + 12 + 69));
    expect(ours.subarray(-628)).toEqual(aws.subarray(-628));
  });

  it("says DIVERGED and which section, when a measured one differs", async () => {
    const words = [
      "--kernel",
      at("kernel"),
      "--cmdline",
      "quiet",
      "--ramdisk",
      at("rd0"),
      "--ramdisk",
      at("rd1"),
    ];
    const made = await run(["eif", "build", ...words, "--out", at("other.eif"), "--compare", unsigned]);
    expect(made.exit).toBe(1);
    expect(made.stdout).toMatch(/^DIVERGED: cmdline: expected 69 bytes, found 5$/m);
  });

  it("puts the metadata that were asked for into the file, and no others", async () => {
    await writeFile(at("custom.json"), '{"team": "hsm"}');
    await writeFile(
      at("config"),
      "#\n# Automatically generated\n# Linux/x86_64 6.12.1 Kernel Configuration\n",
    );
    const words = ["--name", "hsm", "--image-version", "7", "--build-time", "2026-01-31T12:00:00Z"];
    words.push("--metadata", at("custom.json"), "--kernel-config", at("config"));
    const made = await run(["eif", "build", ...parts, ...words, "--out", at("meta.eif")]);
    expect(made.exit).toBe(0);
    const { metadata } = json(await run(["inspect", at("meta.eif"), "--json"]));
    expect(metadata).toMatchObject({
      attested: false,
      name: "hsm",
      version: "7",
      buildTime: "2026-01-31T12:00:00+00:00",
      kernelVersion: "6.12.1",
      custom: { team: "hsm" },
    });
  });

  it("makes a ramdisk of a root folder, the same from anywhere, and leaves nothing beside the output", async () => {
    const words = [...parts.slice(0, 6), "--cmd", "/bin/app", "--cmd", "two words", "--env", "A=b"];
    for (const name of ["here", "there"]) {
      await mkdir(at(`${name}/root/bin`), { recursive: true });
      await writeFile(at(`${name}/root/bin/app`), "#!/bin/sh\n", { mode: 0o755 });
      const out = at(`${name}/app.eif`);
      expect((await run(["eif", "build", ...words, "--folder", at(`${name}/root`), "--out", out])).exit).toBe(
        0,
      );
      expect((await readdir(at(name))).sort()).toEqual(["app.eif", "root"]);
    }
    expect(await readFile(at("here/app.eif"))).toEqual(await readFile(at("there/app.eif")));
    const { stdout } = await run(["inspect", "--members", at("here/app.eif")]);
    expect(stdout).toMatch(/^100755 +0:0 +0 +10 +rootfs\/bin\/app$/m);
    const missing = ["--folder", at("no such folder"), "--out", at("none.eif")];
    expect((await run(["eif", "build", ...parts.slice(0, 4), ...missing])).exit).toBe(66);
  });

  it("signs while it builds, and gives what signing afterwards gives", async () => {
    const one = await run(["eif", "build", ...parts, ...signing("es384"), "--out", at("one.eif"), "--json"]);
    expect((json(one)["registers"] as Record<string, string>)["PCR8"]).toMatch(/^5acc979c48b72209/);
    await run(["eif", "build", ...parts, "--out", at("one-unsigned.eif")]);
    await run(["eif", "sign", at("one-unsigned.eif"), ...signing("es384"), "--out", at("two.eif")]);
    expect(await readFile(at("two.eif"))).toEqual(await readFile(at("one.eif")));
  });

  it.each([
    ["nothing", []],
    ["no output", ["PARTS"]],
    ["no kernel", ["--cmdline", "x", "--ramdisk", "y", "--out", "z"]],
    ["no ramdisk", ["--kernel", "x", "--cmdline", "x", "--out", "z"]],
    ["a digest of no image", ["PARTS", "--out", "z", "--digest", "sha256:00"]],
    ["a command of nothing", ["PARTS", "--out", "z", "--cmd", "sh"]],
    ["a key without certificate", ["PARTS", "--out", "z", "--signing-key", "k"]],
    ["a time that is none", ["PARTS", "--out", "z", "--build-time", "yesterday"]],
  ])("refuses %s as a mistake of the command line", async (_name, words) => {
    const argv = words.flatMap((word) => (word === "PARTS" ? parts : [word]));
    expect((await run(["eif", "build", ...argv])).exit).toBe(64);
  });

  it("leaves nothing where it could not write, and no device is replaced", async () => {
    expect((await run(["eif", "build", ...parts, "--out", "/dev/null"])).exit).toBe(74);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    expect(
      (await run(["eif", "build", "--kernel", at("nope"), ...parts.slice(2), "--out", at("n/x.eif")])).exit,
    ).toBe(66);
    expect(await readdir(at("n")).catch(() => [])).toEqual([]);
  });
});

describe("eif sign", () => {
  it("never writes over the key that it signs with", async () => {
    const key = at("own.key");
    await writeFile(key, await readFile(keyFile("es384.TEST-ONLY.key")));
    const words = ["--certificate", keyFile("es384.pem"), "--signing-key", key, "--out", key];
    expect((await run(["eif", "sign", unsigned, ...words])).exit).toBe(64);
    expect(await readFile(key)).toEqual(await readFile(keyFile("es384.TEST-ONLY.key")));
  });

  it.each(CURVES)(
    "%s: signs, says PCR8, leaves every other section's bytes, and the same each time",
    async (name) => {
      const out = at(`signed-${name}.eif`);
      const signed = await run(["eif", "sign", unsigned, ...signing(name), "--out", out, "--json"]);
      expect(signed.exit).toBe(0);
      const [before, after] = [await readFile(unsigned), await readFile(out)];
      expect(after.subarray(548, before.length)).toEqual(before.subarray(548));
      await run(["eif", "sign", unsigned, ...signing(name), "--out", at("again.eif")]);
      expect(await readFile(at("again.eif"))).toEqual(after);
      const verified = await run(["eif", "verify", out, "--certificate", keyFile(`${name}.pem`)]);
      expect(verified.exit).toBe(0);
      // AWS's own tool signed the same image with the same certificate.
      const aws = await run(["measure", "nitro", await putImage(folder, `signed-${name}.eif`), "--json"]);
      expect((json(signed)["registers"] as Record<string, string>)["PCR8"]).toBe(
        (json(aws)["registers"] as Record<string, string>)["PCR8"],
      );
    },
  );

  it("replaces a signature in place, and leaves the other sections", async () => {
    const path = at("re-signed.eif");
    await run(["eif", "sign", unsigned, ...signing("es256"), "--out", path]);
    const again = await run(["eif", "sign", path, ...signing("es512"), "--out", path, "--json"]);
    expect(json(again)["replaced"]).toBe(true);
    const before = await readFile(unsigned);
    expect((await readFile(path)).subarray(548, before.length)).toEqual(before.subarray(548));
    expect((await run(["eif", "verify", path, "--certificate", keyFile("es512.pem")])).exit).toBe(0);
  });

  it.each(CURVES)(
    "%s: takes a signature that openssl made elsewhere of what payload says",
    async (name, algorithm, hash) => {
      const toSign = at(`${name}.bin`);
      const certificate = ["--certificate", keyFile(`${name}.pem`)];
      const payload = await run(["eif", "payload", unsigned, ...certificate, "--out", toSign, "--json"]);
      expect(json(payload)).toMatchObject({ algorithm, base64: (await readFile(toSign)).toString("base64") });
      const key = keyFile(`${name}.TEST-ONLY.key`);
      execFileSync("openssl", ["dgst", `-${hash}`, "-sign", key, "-out", at(`${name}.der`), toSign]);
      const signature = ["--signature", at(`${name}.der`)];
      const signed = await run([
        "eif",
        "sign",
        unsigned,
        ...certificate,
        ...signature,
        "--out",
        at("far.eif"),
      ]);
      expect(signed.exit).toBe(0);
      expect((await run(["eif", "verify", at("far.eif"), ...certificate])).exit).toBe(0);
    },
  );

  it("runs a program that holds the key, and throws away what does not hold", async () => {
    const program = at("sign.sh");
    const key = keyFile("es384.TEST-ONLY.key");
    await writeFile(program, `#!/bin/sh\nexec openssl dgst -sha384 -sign '${key}' | base64\n`);
    await chmod(program, 0o755);
    const spec = at("signer.json");
    await writeFile(spec, JSON.stringify({ schema: "bootproof/signer/1", command: [program] }));
    const words = [
      "--certificate",
      keyFile("es384.pem"),
      "--signing-key",
      `command:${spec}`,
      "--out",
      at("p.eif"),
    ];
    const signed = await run(["eif", "sign", unsigned, ...words], { PATH: process.env["PATH"] ?? "" });
    expect(signed.stderr).toBe("");
    expect(signed.exit).toBe(0);
    expect((await run(["eif", "verify", at("p.eif")])).exit).toBe(0);
    const other = words
      .map((word) => word.replace("es384.pem", "es256.pem"))
      .map((w) => w.replace("p.eif", "q.eif"));
    const wrong = await run(["eif", "sign", unsigned, ...other, "--json"], {
      PATH: process.env["PATH"] ?? "",
    });
    expect([wrong.exit, codeOf(wrong)]).toEqual([65, "BP-EIF-071"]);
    await expect(stat(at("q.eif"))).rejects.toThrow("ENOENT");
  });

  it("takes the key from a variable, and never repeats a word of it", async () => {
    const words = ["--certificate", keyFile("es384.pem"), "--signing-key", "env:KEY", "--out", at("env.eif")];
    const KEY = await readFile(keyFile("es384.TEST-ONLY.key"), "utf8");
    expect((await run(["eif", "sign", unsigned, ...words], { KEY })).exit).toBe(0);
    const broken = await run(["eif", "sign", unsigned, ...words, "--verbose"], {
      KEY: KEY.replace("M", "!"),
    });
    expect(broken.exit).toBe(65);
    expect(broken.stderr).not.toContain(KEY.split("\n")[1]);
    expect((await run(["eif", "sign", unsigned, ...words])).exit).toBe(66);
  });

  it.each([
    ["a key that is not the certificate's", ["es384.pem", "es256.TEST-ONLY.key"], "BP-EIF-040"],
    ["a certificate for a key", ["es384.pem", "es384.pem"], "BP-EIF-070"],
    ["a key for a certificate", ["es384.TEST-ONLY.key", "es384.TEST-ONLY.key"], undefined],
  ])("refuses %s, and writes nothing", async (_name, [certificate = "", key = ""], code) => {
    const words = ["--certificate", keyFile(certificate), "--signing-key", keyFile(key)];
    const refused = await run(["eif", "sign", unsigned, ...words, "--out", at("none.eif"), "--json"]);
    expect(refused.exit).toBeGreaterThan(0);
    if (code !== undefined) expect(codeOf(refused)).toBe(code);
    await expect(stat(at("none.eif"))).rejects.toThrow("ENOENT");
  });

  it("refuses a signature of another image", async () => {
    const certificate = ["--certificate", keyFile("es384.pem")];
    await run(["eif", "payload", unsigned, ...certificate, "--out", at("to-sign")]);
    const key = keyFile("es384.TEST-ONLY.key");
    execFileSync("openssl", ["dgst", "-sha384", "-sign", key, "-out", at("of-another"), at("to-sign")]);
    const other = await putImage(folder, "cmdline-newline.eif");
    const words = [...certificate, "--signature", at("of-another"), "--out", at("none.eif"), "--json"];
    expect(codeOf(await run(["eif", "sign", other, ...words]))).toBe("BP-EIF-035");
  });
});

describe("eif verify", () => {
  it("says no to an unsigned image, to another certificate, and to a signature of another image", async () => {
    const no = await run(["eif", "verify", unsigned]);
    expect([no.exit, no.stdout.includes("the image is not signed")]).toEqual([1, true]);
    const signed = await putImage(folder, "signed-es256.eif");
    expect((await run(["eif", "verify", signed, "--certificate", keyFile("es384.pem")])).exit).toBe(1);
    const { crc32 } = await import("node:zlib");
    const shifted = await putImage(folder, "signed-es256.eif", (bytes) => {
      bytes[0xe00] = (bytes[0xe00] ?? 0) ^ 1;
      bytes.writeUInt32BE(crc32(bytes.subarray(548), crc32(bytes.subarray(0, 544))), 544);
      return bytes;
    });
    const other = await run(["eif", "verify", shifted]);
    expect(other.exit).toBe(1);
    expect(other.stdout).toMatch(/^ {2}no +signed PCR0 +another image's: b7eee595/m);
    const measured = await run(["measure", "nitro", shifted]);
    expect(measured.stderr).toContain("BP-EIF-036");
  });

  it("compares the certificate's dates only with a time that is given", async () => {
    const signed = await putImage(folder, "signed-es256.eif");
    expect((await run(["eif", "verify", signed])).stdout).toContain("not compared");
    const late = await run(["eif", "verify", signed, "--at", "2040-01-01T00:00:00Z"]);
    expect(late.stdout).toContain("expired at 2040-01-01T00:00:00.000Z");
    expect((await run(["eif", "verify", signed, "--at", "soon"])).exit).toBe(64);
  });
});
