import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ROOT } from "./scratch.testing.ts";

const BIN = join(ROOT, "cli/bin/bootproof");
const FIRMWARE = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");

// Row direct-check-0009 of measure/vectors/launch-digests.json.
const WANTED =
  "ae7e31b6e2220dcb2832b050464cf9fb5da4feed92be5cdd966435c2ee722f341410bb2438923ee696bd23460ff9c904";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  options: { cwd?: string; bin?: string; shell?: string } = {},
): Promise<Ended> {
  const [file, words] =
    options.shell === undefined ? [options.bin ?? BIN, args] : ["/bin/bash", ["-c", options.shell]];
  return new Promise((resolve) => {
    const child = execFile(
      file,
      words,
      { cwd: options.cwd ?? "/", env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent" } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

describe("bin/bootproof", () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "bootproof-bin-"))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("runs on its own Node from any folder, through a link, with no HOME and nothing on stderr", async () => {
    const link = join(folder, "bootproof");
    await symlink(BIN, link);
    const { code, stdout, stderr } = await start(["version", "--json"], { bin: link });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ node: expect.stringMatching(/^24\./) as string });
  });

  it("measures the published value of a row", async () => {
    const args = ["measure", "snp", "--ovmf", FIRMWARE, "--vcpus", "2", "--vcpu-type", "EPYC", "--json"];
    const { code, stdout } = await start(args);
    expect(code).toBe(0);
    const { registers } = JSON.parse(stdout) as { registers: { launchDigest: string } };
    expect(registers.launchDigest).toBe(WANTED);
  });

  it("ends malformed firmware with 65, a code and no stack, wherever it is broken", async () => {
    const bytes = await readFile(FIRMWARE);
    for (const [name, broken] of [
      ["empty", Buffer.alloc(0)],
      ["cut", bytes.subarray(0, 4000)],
      ["zeros", Buffer.alloc(4096)],
      ["table", Buffer.from(bytes.map((byte, at) => (at === bytes.length - 40 ? byte ^ 0xff : byte)))],
    ] as const) {
      const file = join(folder, `${name}.fd`);
      await writeFile(file, broken);
      const { code, stdout, stderr } = await start([
        "measure",
        "snp",
        "--ovmf",
        file,
        "--vcpus",
        "1",
        "--vcpu-type",
        "EPYC",
        "--json",
      ]);
      expect(code, name).toBe(65);
      expect((JSON.parse(stdout) as { error: { code: string } }).error.code).toMatch(/^BP-PARSE-/);
      expect(stderr, name).not.toMatch(/^\s+at /m);
    }
  });

  it("stops quietly when its reader goes away", async () => {
    const { code, stderr } = await start([], {
      shell: `set -o pipefail; '${BIN}' explain | head -n 1 > /dev/null`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("ends an endless batch when its reader goes away", async () => {
    const request = JSON.stringify({ ovmf: FIRMWARE, vcpus: 2, vcpuType: "EPYC" });
    const shell = `yes '${request}' | timeout 20 '${BIN}' measure snp --batch - | head -n 40 | wc -l; echo "\${PIPESTATUS[1]}"`;
    expect(await start([], { shell })).toMatchObject({ stdout: "40\n0\n", stderr: "" });
  }, 30_000);

  it("reads an input from a pipe", async () => {
    const shell = `cat '${FIRMWARE}' | '${BIN}' measure snp --ovmf /dev/stdin --vcpus 2 --vcpu-type EPYC`;
    expect((await start([], { shell })).stdout).toBe(`launchDigest  ${WANTED}\n`);
  });

  it("prints everything to a slow reader, and keeps its exit status when the reader goes away", async () => {
    const trace = `'${BIN}' measure snp --ovmf '${FIRMWARE}' --vcpus 512 --vcpu-type EPYC --trace --json`;
    const slow = JSON.parse((await start([], { shell: `${trace} | (sleep 1; cat)` })).stdout) as object;
    expect(slow).toMatchObject({ events: expect.arrayContaining([expect.anything()]) as unknown });
    const cut = await start([], { shell: `${trace} | head -c 5; echo "\${PIPESTATUS[0]}"` });
    expect(cut).toMatchObject({ stdout: '{\n  "0\n', stderr: "" });
    const refused = `'${BIN}' lookup ${"11".repeat(48)} --log '${folder}/l' 2>&1 | true; echo "\${PIPESTATUS[0]}"`;
    expect((await start([], { shell: refused })).stdout).toBe("66\n");
  });

  it("reads a named pipe, and can be interrupted while nobody writes to it", async () => {
    const pipe = join(folder, "pipe");
    const args = "--vcpus 2 --vcpu-type EPYC";
    const fed = `mkfifo '${pipe}'; cat '${FIRMWARE}' > '${pipe}' & '${BIN}' measure snp --ovmf '${pipe}' ${args}`;
    expect((await start([], { shell: fed })).stdout).toBe(`launchDigest  ${WANTED}\n`);
    const idle = `timeout --preserve-status -k 20 1 '${BIN}' inspect '${pipe}'; echo $?`;
    expect((await start([], { shell: idle })).stdout).toBe("143\n");
  }, 30_000);

  it("names commands as it was called, so that they can be copied in a clone", async () => {
    const { stderr } = await start(["inspect", "/nonexistent"]);
    expect(stderr).toContain(`(${BIN.slice(1)} explain BP-FILE-001)`);
  });

  it("prints a completion script that bash accepts and that knows every verb", async () => {
    const shell = `eval "$('${BIN}' completion bash)"; COMP_WORDS=(bootproof log ""); COMP_CWORD=2; _bootproof; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = await start([], { shell });
    expect(stderr).toBe("");
    expect(stdout.split(/\s+/)).toEqual(
      expect.arrayContaining(["init", "add", "checkpoint", "proof", "audit"]),
    );
  });
});
