import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf } from "@bootproof/bytes/signing";
import { formatCheckpoint, formatTlogProof, leafHash, signNote } from "@bootproof/log";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeBootMeasurement,
  signEnvelope,
  type PlatformMeasurements,
} from "@bootproof/statement";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const ROLE = "arn:aws:iam::111122223333:role/enclave-host";
const REGISTERS = { PCR0: "a1".repeat(48), PCR1: "b2".repeat(48), PCR2: "c3".repeat(48) };

let folder: string;
beforeAll(async () => (folder = await scratchFolder()));

/** A bundle of a release with these measurements, alone in its log. */
async function bundleOf(measurements: readonly PlatformMeasurements[]): Promise<Uint8Array> {
  const key = makeSigningKey("example.org/all", sha256(utf8("test seed")));
  const digest = { sha256: formatHex(sha256(utf8("x"))), size: 1 };
  const artifact = {
    name: "app.eif",
    kind: "eif",
    size: 1,
    sha256: digest.sha256,
    sha384: formatHex(sha384(utf8("x"))),
  } as const;
  const statement = makeBootMeasurement({
    release: { name: "hello-enclave", version: "1" },
    artifacts: [artifact],
    build: { recipe: digest, lock: digest, provenance: digest, actions: [] },
    measurements,
    predictor: { name: "bootproof", version: "0.1.0" },
  });
  const extra = await signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signerOf(key));
  const text = formatCheckpoint({ origin: "example.org/all", size: 1n, root: leafHash(extra) });
  return formatTlogProof({ extra, index: 0n, hashes: [], checkpoint: await signNote(text, [signerOf(key)]) });
}

async function exported(
  file: string,
): Promise<{ exit: number; stderr: string; sids: string[]; policy: string }> {
  const { exit, stdout, stderr } = await run(["export", "kms", file, "--principal", ROLE]);
  const policy = exit === 0 ? (JSON.parse(stdout) as { Statement: { Sid: string }[] }).Statement : [];
  return { exit, stderr, sids: policy.map(({ Sid }) => Sid), policy: stdout };
}

describe("export kms takes a release from", () => {
  it("its bundle, and says that it is not verified", async () => {
    const file = join(folder, "one.tlog-proof");
    await writeFile(
      file,
      await bundleOf([{ platform: "nitro", shape: { architecture: "x86_64" }, registers: REGISTERS }]),
    );
    const made = await exported(file);
    expect(made).toMatchObject({ exit: 0, sids: ["EnclaveHelloEnclave1"] });
    expect(made.stderr).toContain("is not verified: bootproof verify");
    expect(made.policy).toContain(REGISTERS.PCR2);
  });

  it("a bundle with several images, a statement each", async () => {
    const file = join(folder, "two.tlog-proof");
    const entry = (image: string, digit: string): PlatformMeasurements => ({
      platform: "nitro",
      shape: { architecture: "x86_64", image },
      registers: { ...REGISTERS, PCR2: digit.repeat(96) },
    });
    await writeFile(file, await bundleOf([entry("app.eif", "d"), entry("job.eif", "e")]));
    expect((await exported(file)).sids).toEqual(["EnclaveHelloEnclave1AppEif", "EnclaveHelloEnclave1JobEif"]);
  });

  it("no bundle without measurements of enclaves", async () => {
    const file = join(folder, "none.tlog-proof");
    await writeFile(file, await bundleOf([{ platform: "tpm", shape: {}, registers: REGISTERS }]));
    const refused = await exported(file);
    expect(refused.exit).toBe(64);
    expect(refused.stderr).toContain("BP-KMS-071");
  });

  it("an image, measured here, and what measure nitro wrote of it, alike", async () => {
    const packed = await readFile(join(ROOT, "boot/vectors/eif/images.json.gz"));
    const { images } = JSON.parse(gunzipSync(packed).toString()) as {
      images: Record<string, { base64: string }>;
    };
    const file = join(folder, "app.eif");
    await writeFile(file, Buffer.from(images["ok-2rd.eif"]?.base64 ?? "", "base64"));
    const direct = await exported(file);
    expect(direct).toMatchObject({ exit: 0, sids: ["EnclaveApp"] });
    const measured = join(folder, "app.json");
    expect((await run(["measure", "nitro", file, "--json", "--out", measured])).exit).toBe(0);
    expect((await exported(measured)).policy).toBe(direct.policy);
    expect((await exported(`App=${file}`)).policy).toBe(direct.policy);
  });
});
