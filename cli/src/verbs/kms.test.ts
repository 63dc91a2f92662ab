import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { lintKmsPolicy } from "@bootproof/statement/kms";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const ROLE = "arn:aws:iam::111122223333:role/enclave-host";
const ADMIN = "arn:aws:iam::111122223333:role/key-admin";
const DOCUMENTS = join(ROOT, "verify/vectors/nitro");
const PRODUCTION = join(DOCUMENTS, "marlin-verifier-2024.bin");
const DEBUG = join(DOCUMENTS, "evervault-ga-debug.bin");
const OTHER = join(DOCUMENTS, "veracruz-2022.bin");

interface Expected {
  readonly real: readonly { readonly file: string; readonly pcrs: Readonly<Record<string, string>> }[];
}

let folder: string;
const path = (name: string): string => join(folder, name);
const measurements = async (file: string): Promise<string> => {
  const { real } = JSON.parse(await readFile(join(DOCUMENTS, "expected.json"), "utf8")) as Expected;
  const pcrs = real.find((one) => file.endsWith(one.file))?.pcrs ?? {};
  const Measurements = { HashAlgorithm: "Sha384 { ... }", PCR0: pcrs["0"], PCR1: pcrs["1"], PCR2: pcrs["2"] };
  return JSON.stringify({ Measurements });
};

beforeAll(async () => {
  folder = await scratchFolder();
  await writeFile(path("app.json"), await measurements(PRODUCTION));
  await writeFile(path("other.json"), await measurements(OTHER));
});

describe("export kms", () => {
  it("writes a policy that lets in the release's enclave, and kms simulate says so of its document", async () => {
    const made = await run([
      "export",
      "kms",
      path("app.json"),
      "--principal",
      ROLE,
      "--admin",
      ADMIN,
      "--out",
      path("p.json"),
    ]);
    expect(made).toMatchObject({ exit: 0, stdout: "" });
    expect(made.stderr).toContain("BP-KMS-055");
    const simulate = async (...how: readonly string[]): Promise<number> =>
      (await run(["kms", "simulate", path("p.json"), "--principal", ROLE, ...how])).exit;
    expect(await simulate("--document", PRODUCTION)).toBe(0);
    expect(await simulate("--pcrs", path("app.json"))).toBe(0);
    expect(await simulate("--document", OTHER)).toBe(1);
    expect(await simulate("--document", DEBUG)).toBe(1);
    expect(await simulate("--debug-mode")).toBe(1);
    expect(await simulate("--no-document")).toBe(1);
    expect(await simulate("--document", PRODUCTION, "--operation", "Encrypt")).toBe(1);
    expect((await run(["kms", "lint", path("p.json")])).exit).toBe(0);
  });

  it("writes the same bytes every time, in each form", async () => {
    const releases = ["export", "kms", `v2=${path("app.json")}`, "--previous", `v1=${path("other.json")}`];
    for (const format of ["json", "terraform", "terraform-json", "cdk"]) {
      const argv = [...releases, "--principal", ROLE, "--format", format];
      const made = await run(argv);
      expect(made.exit).toBe(0);
      expect(made.stdout).toContain("EnclaveV1");
      expect(made.stdout).toContain("EnclaveV2");
      expect(await run(argv)).toEqual(made);
    }
  });

  it("says with --json what it made and what is to be known of it", async () => {
    const made = await run(["export", "kms", path("app.json"), "--principal", ROLE, "--json"]);
    const document = JSON.parse(made.stdout) as {
      policy: object;
      warnings: { code: string }[];
      schema: string;
    };
    expect(document.schema).toBe("bootproof/kms-policy/1");
    expect(document.warnings.map(({ code }) => code)).toEqual(["BP-KMS-057"]);
    expect(lintKmsPolicy(JSON.stringify(document.policy)).answer).toBe("yes");
  });

  it.each<[string, readonly string[], number, string]>([
    ["nobody to let in", [], 64, "--principal"],
    ["a principal that is none", ["--principal", "role"], 64, "BP-KMS-074"],
    ["PCR4", ["--principal", ROLE, "--pcr", "0,1,2,4"], 64, "BP-KMS-073"],
    ["a register that is none", ["--principal", ROLE, "--pcr", "zero"], 64, "--pcr"],
    ["a register that the release lacks", ["--principal", ROLE, "--pcr", "0,1,2,8"], 64, "BP-KMS-071"],
    ["an operation without a document", ["--principal", ROLE, "--operation", "Sign"], 64, "BP-KMS-076"],
    ["a form that is none", ["--principal", ROLE, "--format", "yaml"], 64, "yaml"],
  ])("refuses %s", async (_what, argv, exit, said) => {
    const refused = await run(["export", "kms", path("app.json"), ...argv]);
    expect(refused).toMatchObject({ exit, stdout: "" });
    expect(refused.stderr).toContain(said);
  });

  it("refuses registers of debug mode, and a file without registers", async () => {
    const zeros = { Measurements: { PCR0: "0".repeat(96), PCR1: "0".repeat(96), PCR2: "0".repeat(96) } };
    await writeFile(path("debug.json"), JSON.stringify(zeros));
    const debug = await run(["export", "kms", path("debug.json"), "--principal", ROLE]);
    expect(debug.exit).not.toBe(0);
    expect(debug.stderr).toContain("zero");
    await writeFile(path("none.json"), "{}");
    expect((await run(["export", "kms", path("none.json"), "--principal", ROLE])).exit).not.toBe(0);
    expect((await run(["export", "kms", path("missing.json"), "--principal", ROLE])).exit).toBe(66);
  });
});

describe("kms lint", () => {
  const zeros = {
    Effect: "Allow",
    Principal: { AWS: ROLE },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: { StringEqualsIgnoreCase: { "kms:RecipientAttestation:ImageSha384": "0".repeat(96) } },
  };
  it("names the trap, its line and its page, and says no", async () => {
    await writeFile(path("zeros.json"), JSON.stringify(zeros, undefined, 2));
    const { exit, stdout } = await run(["kms", "lint", path("zeros.json")]);
    expect(exit).toBe(1);
    expect(stdout).toContain("error BP-KMS-020 (line 10, column 7, statement 0)");
    expect(stdout).toMatch(/^no: /m);
    expect((await run(["explain", "BP-KMS-020"])).exit).toBe(0);
    const json = await run(["kms", "lint", path("zeros.json"), "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "bootproof/kms-lint/1", answer: "no" });
  });

  it("could not decide is exit status 2, and what is not JSON is 65 with what to type", async () => {
    await writeFile(
      path("iam.json"),
      JSON.stringify({
        Statement: [
          {
            ...zeros,
            Principal: undefined,
            Condition: { StringEquals: { "kms:RecipientAttestation:PCR0": "${x}" } },
          },
        ],
      }),
    );
    expect((await run(["kms", "lint", path("iam.json")])).exit).toBe(2);
    await writeFile(path("key.tf"), 'resource "aws_kms_key" "k" {\n}\n');
    const hcl = await run(["kms", "lint", path("key.tf")]);
    expect(hcl.exit).toBe(65);
    expect(hcl.stderr).toContain("terraform show -json");
  });

  it("a hostile policy's text reaches no terminal", async () => {
    await writeFile(path("hostile.json"), JSON.stringify({ ...zeros, Sid: "\u001b[31m" }));
    expect((await run(["kms", "lint", path("hostile.json")])).stdout).not.toContain("\u001b");
  });
});

describe("kms simulate", () => {
  it.each<[string, readonly string[]]>([
    ["nobody who asks", ["--no-document"]],
    ["no request", ["--principal", ROLE]],
    ["two requests", ["--principal", ROLE, "--no-document", "--debug-mode"]],
    ["an operation that is none", ["--principal", ROLE, "--no-document", "--operation", "Open"]],
    ["a context that is none", ["--principal", ROLE, "--no-document", "--context", "x"]],
  ])("refuses %s", async (_what, argv) => {
    expect((await run(["kms", "simulate", path("p.json"), ...argv])).exit).toBe(64);
  });

  it("what IAM policies decide is could not decide, exit status 2", async () => {
    const root = {
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111122223333:root" },
      Action: "kms:*",
      Resource: "*",
    };
    await writeFile(path("root.json"), JSON.stringify({ Statement: [root] }));
    const asked = await run([
      "kms",
      "simulate",
      path("root.json"),
      "--principal",
      ROLE,
      "--no-document",
      "--json",
    ]);
    expect(asked.exit).toBe(2);
    expect(JSON.parse(asked.stdout)).toMatchObject({
      answer: "could not decide",
      schema: "bootproof/kms-simulation/1",
    });
  });
});
