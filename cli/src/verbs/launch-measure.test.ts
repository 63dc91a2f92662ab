import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

interface Vector {
  readonly name: string;
  readonly launchDigest: string;
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly buildId: number;
  readonly policy: string;
  readonly tik: string;
  readonly mnonce: string;
  readonly message: string;
  readonly measure: string;
  readonly blob: string;
}

const { vectors } = JSON.parse(await readFile(join(ROOT, "measure/vectors/launch-measure.json"), "utf8")) as {
  vectors: readonly Vector[];
};
const [first] = vectors;

let folder: string;
beforeAll(async () => (folder = await scratchFolder()));
const path = (name: string): string => join(folder, name);
const platform = (vector: Vector): string[] => [
  ...["--api-major", String(vector.apiMajor), "--api-minor", String(vector.apiMinor)],
  ...["--build-id", String(vector.buildId), "--policy", vector.policy, "--digest", vector.launchDigest],
];

async function keyFile(vector: Vector, before = ""): Promise<string> {
  const file = path(`${vector.name}${before}.key`);
  await writeFile(file, Buffer.from(before + vector.tik, "hex"));
  return file;
}

describe("launch-measure", () => {
  it.each(vectors)("$name: makes what the firmware answers, and verifies it", async (vector) => {
    const tik = await keyFile(vector);
    const made = await run([
      ...["launch-measure", "make", ...platform(vector), "--tik", tik, "--nonce", vector.mnonce, "--json"],
    ]);
    expect(made).toMatchObject({ exit: 0, stderr: "" });
    expect(JSON.parse(made.stdout)).toMatchObject({
      schema: "bootproof/launch-measure/1",
      message: vector.message,
      measure: vector.measure,
      blob: vector.blob,
    });
    const argv = ["launch-measure", "verify", ...platform(vector), "--measurement", vector.blob];
    expect(await run([...argv, "--tik", tik])).toMatchObject({ exit: 0, stderr: "" });
    const tk = await keyFile(vector, "ff".repeat(16));
    expect((await run([...argv, "--tk", tk])).exit).toBe(0);
    expect((await run([...argv, "--tik", tk])).exit).toBe(0);
  });

  it("reads the measure from a file, and the platform from QEMU's answers", async () => {
    const tik = await keyFile(first!);
    await writeFile(path("blob.bin"), Buffer.from(first!.blob, "base64"));
    await writeFile(path("blob.b64"), `${first!.blob}\n`);
    await writeFile(path("qmp.json"), JSON.stringify({ return: { data: first!.blob } }));
    const sev = {
      enabled: true,
      "api-major": first!.apiMajor,
      "api-minor": first!.apiMinor,
      "build-id": first!.buildId,
      policy: Number(first!.policy),
      state: "launch-secret",
    };
    await writeFile(path("sev.json"), JSON.stringify({ return: sev }));
    for (const file of ["blob.bin", "blob.b64", "qmp.json"]) {
      const argv = ["--tik", tik, "--digest", first!.launchDigest, "--query-sev", path("sev.json")];
      const { exit } = await run(["launch-measure", "verify", ...argv, "--measurement", path(file)]);
      expect(exit).toBe(0);
    }
  });

  it("takes the launch digest from what measure sev wrote, and not from what measure snp wrote", async () => {
    const tik = await keyFile(first!);
    const document = (launchDigest: string): string =>
      JSON.stringify({ schema: "bootproof/measurement/1", registers: { launchDigest } });
    const argv = [
      "launch-measure",
      "verify",
      ...platform(first!),
      "--tik",
      tik,
      "--measurement",
      first!.blob,
    ];
    await writeFile(path("m.json"), document(first!.launchDigest));
    expect((await run([...argv, "--digest", path("m.json")])).exit).toBe(0);
    await writeFile(path("snp.json"), document("11".repeat(48)));
    const snp = await run([...argv, "--digest", path("snp.json")]);
    expect(snp.exit).toBe(65);
    expect(snp.stderr).toContain("BP-ID-007");
  });

  it("says no with exit status 1, and with which firmware it would be yes", async () => {
    const tik = await keyFile(first!);
    const argv = ["launch-measure", "verify", "--tik", tik, "--measurement", first!.blob];
    const newer = await run([...argv, ...platform({ ...first!, buildId: 14 })]);
    expect(newer.exit).toBe(1);
    expect(newer.stdout).toContain("it would with build ID 15");
    const other = await run([...argv, ...platform({ ...first!, launchDigest: "11".repeat(32) }), "--json"]);
    expect(other.exit).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({ answer: "no", mnonce: first!.mnonce });
    const swapped = path("swapped.key");
    await writeFile(swapped, Buffer.from(first!.tik + "ff".repeat(16), "hex"));
    const mixed = ["launch-measure", "verify", "--tk", swapped, "--measurement", first!.blob];
    expect((await run([...mixed, ...platform(first!)])).stdout).toContain("first half of the key file");
  });

  it("prints the key nowhere, whatever is wrong with it", async () => {
    const file = path("bad.key");
    for (const content of ["", first!.tik, Buffer.from(first!.tik.slice(2), "hex")]) {
      await writeFile(file, content);
      const argv = ["launch-measure", "make", ...platform(first!), "--nonce", first!.mnonce];
      for (const flag of ["--tik", "--tk"]) {
        const { exit, stdout, stderr } = await run([...argv, flag, file, "--verbose"]);
        expect(exit).toBe(65);
        if (content === first!.tik) expect(stderr).toContain("in hex");
        expect(stdout + stderr).not.toContain(first!.tik.slice(2));
      }
    }
    const typed = await run([
      "launch-measure",
      "make",
      ...platform(first!),
      "--nonce",
      first!.mnonce,
      "--tik",
      first!.tik,
    ]);
    expect(typed.exit).toBe(66);
  });

  it.each([
    ["no key", ["--nonce", "00".repeat(16), "--digest", "11".repeat(32), "--policy", "1"]],
    ["no platform", ["--tik", "tik", "--nonce", "00".repeat(16), "--digest", "11".repeat(32)]],
    ["no digest", ["--tik", "tik", "--nonce", "00".repeat(16), "--policy", "1"]],
    ["no nonce", ["--tik", "tik", "--digest", "11".repeat(32), "--policy", "1"]],
    ["a nonce of 15 bytes", ["--tik", "tik", "--nonce", "00".repeat(15)]],
    ["a build ID of 9 bits", ["--nonce", "00".repeat(16), "--digest", "11".repeat(32), "--build-id", "256"]],
  ])("refuses %s", async (_what, argv) => {
    const { exit, stderr } = await run(["launch-measure", "make", ...argv]);
    expect(stderr).toContain("BP-USAGE-002");
    expect(exit).toBe(64);
  });

  it("refuses measures of another length, and files that hold none", async () => {
    const tik = await keyFile(first!);
    const argv = ["launch-measure", "verify", ...platform(first!), "--tik", tik, "--measurement"];
    expect((await run([...argv, first!.blob.slice(4)])).exit).toBe(64);
    expect((await run([...argv, path("absent")])).exit).toBe(66);
    for (const content of ["", "{}", '{"return":{"data":1}}', "\u0000".repeat(47)]) {
      await writeFile(path("none"), content);
      expect((await run([...argv, path("none")])).exit).toBe(65);
    }
    const sev = [
      "launch-measure",
      "verify",
      "--tik",
      tik,
      "--digest",
      first!.launchDigest,
      "--measurement",
      first!.blob,
    ];
    await writeFile(path("none"), '{"api-major":"1"}');
    expect((await run([...sev, "--query-sev", path("none")])).exit).toBe(65);
  });
});
