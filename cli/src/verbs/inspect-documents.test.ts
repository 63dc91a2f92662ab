import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

const DOCUMENTS = join(ROOT, "verify/vectors/nitro");
const QUORUM = join(ROOT, "statement/vectors/quorum-os");
const TURNKEY = join(DOCUMENTS, "turnkey-2025-indefinite-map.bin");
const ENVELOPE = join(QUORUM, "turnkey-preprod-signer-envelope.bin");

let folder: string;
beforeAll(async () => (folder = await scratchFolder()));
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe("inspect of attestation documents", () => {
  it("says what it shows, that nothing is checked, and which bootstrap PCR1 is", async () => {
    const { exit, stdout } = await run(["inspect", join(DOCUMENTS, "marlin-aws-2024.bin")]);
    expect(exit).toBe(0);
    expect(stdout).toContain("signature not checked");
    expect(stdout).toContain("kernel 4.14.256");
    expect(stdout).toMatch(/^PCR4 +is of the module's instance$/m);
    expect(stdout).toContain("CN=aws.nitro-enclaves");
  });

  it("takes base64, and names debug mode", async () => {
    const text = (await readFile(join(DOCUMENTS, "evervault-ga-debug.bin"))).toString("base64");
    await writeFile(join(folder, "d.b64"), `${text.slice(0, 100)}\n${text.slice(100)}\n`);
    const { exit, stdout } = await run(["inspect", join(folder, "d.b64"), "--json"]);
    expect(exit).toBe(0);
    expect(json(stdout)).toMatchObject({
      kind: "attestation-document",
      signatureChecked: false,
      debug: true,
      pcr4IsModule: true,
    });
  });

  it("says no of a document whose PCR4 is of another instance than its module", async () => {
    const { exit, stdout } = await run(["inspect", join(DOCUMENTS, "marlin-custom-root.bin")]);
    expect(exit).toBe(1);
    expect(stdout).toContain("is NOT of the module's instance");
  });

  it.each([
    ["pcr0-zeroed", /^mode +NOT one there is: of PCR0, PCR1 and PCR2 only some are zero/m],
    ["cabundle-reversed", /^chain +NOT in order/m],
  ])("says no of %s, which contradicts itself", async (name, line) => {
    const { exit, stdout } = await run(["inspect", join(DOCUMENTS, `derived/${name}.bin`)]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(line);
  });

  it("calls the document's certificate by a name that is not the image signer's", async () => {
    const { stdout } = await run(["inspect", join(DOCUMENTS, "marlin-aws-2024.bin")]);
    expect(stdout).not.toContain("signing certificate");
    expect(stdout).toMatch(/^chain +each certificate names the next as its issuer$/m);
  });

  it.each(["trailing-byte", "alg-none", "digest-sha256", "nonce-1025", "truncated-half"])(
    "refuses %s as malformed",
    async (name) => {
      expect((await run(["inspect", join(DOCUMENTS, `derived/${name}.bin`)])).exit).toBe(65);
      expect((await run(["inspect", "document", join(DOCUMENTS, `derived/${name}.bin`)])).exit).toBe(65);
    },
  );
});

describe("inspect of QuorumOS manifests", () => {
  it("recomputes the hash, checks the approvals, and says what is not checked", async () => {
    const { exit, stdout } = await run(["inspect", ENVELOPE]);
    expect(exit).toBe(0);
    expect(stdout).toContain("24a9e2c0b0ce26bcbc3e65172f8b06b100d5e712591f604832cbea9ff5ce02be");
    expect(stdout).toContain("2 of 2 members approved, 2 are needed");
    expect(stdout).toContain("not checked: whose keys the members' are");
  });

  it("holds one against the document of its enclave, and against another", async () => {
    const own = await run(["inspect", ENVELOPE, "--against", TURNKEY]);
    expect(own.exit).toBe(0);
    expect(own.stdout).toContain("not checked: the document's signature");
    const other = await run([
      "inspect",
      "manifest",
      ENVELOPE,
      "--against",
      join(DOCUMENTS, "qos-2022.bin"),
      "--json",
    ]);
    expect(other.exit).toBe(1);
    expect(JSON.stringify(json(other.stdout)["checks"])).toContain("BP-QOS-001");
  });

  it("reads boot proofs, and says no when their parts are of different boots", async () => {
    const base64 = async (file: string): Promise<string> => (await readFile(file)).toString("base64");
    const proof = {
      awsAttestationDocB64: await base64(TURNKEY),
      qosManifestB64: await base64(join(QUORUM, "turnkey-preprod-signer-manifest.bin")),
      qosManifestEnvelopeB64: await base64(ENVELOPE),
    };
    const inspectProof = async (value: object): Promise<number> => {
      await writeFile(join(folder, "proof.json"), JSON.stringify(value));
      return (await run(["inspect", join(folder, "proof.json")])).exit;
    };
    expect(await inspectProof({ bootProof: proof })).toBe(0);
    expect(
      await inspectProof({ ...proof, awsAttestationDocB64: await base64(join(DOCUMENTS, "qos-2022.bin")) }),
    ).toBe(1);
    expect(
      await inspectProof({ ...proof, qosManifestB64: await base64(join(QUORUM, "qos-old-manifest.bin")) }),
    ).toBe(1);
    expect(await inspectProof({ ...proof, ephemeralPublicKeyHex: "04" })).toBe(1);
    expect(await inspectProof({ ...proof, qosManifestB64: "AAAA" })).toBe(65);
  });

  it("--against is for manifests", async () => {
    expect((await run(["inspect", "document", TURNKEY, "--against", ENVELOPE])).exit).toBe(64);
    expect((await run(["inspect", TURNKEY, "--against", TURNKEY])).exit).toBe(65);
  });
});
