import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import fc from "fast-check";
import { buildIgvm, guestPolicy, header, platform } from "@bootproof/ovmf/igvm-builder";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

interface Vector {
  readonly name: string;
  readonly launchDigest: string;
  readonly familyId: string;
  readonly imageId: string;
  readonly guestSvn: number;
  readonly policy: string;
  readonly idBlock: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
}

const VECTORS = join(ROOT, "measure/vectors");
const { vectors } = JSON.parse(await readFile(join(VECTORS, "id-block.json"), "utf8")) as {
  vectors: readonly Vector[];
};
const LD = vectors[0]!.launchDigest;
const ID_KEY = join(VECTORS, "keys/TEST-ONLY-id.pem");
const AUTHOR_KEY = join(VECTORS, "keys/TEST-ONLY-author.pem");

let folder: string;
beforeAll(async () => (folder = await scratchFolder()));
const path = (name: string): string => join(folder, name);
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe("id-block make", () => {
  it.each(vectors)("$name: makes the ID block of the peers, and verify says yes", async (vector) => {
    const out = path(vector.name);
    const fields = ["--launch-digest", vector.launchDigest, "--policy", vector.policy];
    fields.push(
      "--family-id",
      vector.familyId,
      "--image-id",
      vector.imageId,
      "--guest-svn",
      String(vector.guestSvn),
    );
    const keys = ["--id-key", ID_KEY, "--author-key", AUTHOR_KEY];
    const made = await run(["id-block", "make", ...fields, ...keys, "--out", out, "--json"]);
    expect(made.exit).toBe(0);
    expect(json(made.stdout)).toMatchObject({
      schema: "bootproof/id-block/1",
      idBlock: vector.idBlock,
      idKeyDigest: vector.idKeyDigest,
      authorKeyDigest: vector.authorKeyDigest,
      authorKeyEnabled: true,
    });
    expect(await readFile(join(out, "id-block.base64"), "utf8")).toBe(`${vector.idBlock}\n`);
    expect((await readFile(join(out, "id-auth.bin"))).toString("base64")).toBe(json(made.stdout)["idAuth"]);

    const files = [join(out, "id-block.bin"), join(out, "id-auth.base64")];
    const expected = /^0+$/.test(vector.launchDigest) ? fields.slice(2) : fields;
    const verdict = await run(["id-block", "verify", ...files, ...expected, ...keys]);
    expect(verdict.stdout).not.toMatch(/^(no|could not decide) /m);
    expect(verdict.exit).toBe(0);
  });

  it("gives the same bytes every time, and prints what to type for QEMU", async () => {
    const argv = ["id-block", "make", "--launch-digest", LD, "--id-key", ID_KEY];
    const made = await run(argv);
    expect(made.exit).toBe(0);
    expect(made.stdout).toMatch(
      /^-object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x30000,id-block=[A-Za-z0-9+/=]{128},id-auth=[A-Za-z0-9+/=]{5464}$/m,
    );
    expect(await run(argv)).toEqual(made);
    const written = await run([...argv, "--author-key", AUTHOR_KEY, "--out", path("with space")]);
    expect(written.stdout).toContain("author-key-enabled=on");
    expect(written.stdout).toContain(`id-auth="$(cat '${path("with space")}/id-auth.base64')"`);
  });

  it("takes the names of options of the tools that people come from", async () => {
    const base64 = Buffer.from(LD, "hex").toString("base64");
    const ours = await run([
      "id-block",
      "make",
      "--launch-digest",
      LD,
      "--id-key",
      ID_KEY,
      "--author-key",
      AUTHOR_KEY,
    ]);
    const theirs = ["--measurement", base64, "--idkey", ID_KEY, "--authorkey", AUTHOR_KEY, "--svn", "0"];
    const files = ["--id-file", path("b64/id"), "--auth-file", path("b64/auth")];
    const made = await run(["id-block", "make", ...theirs]);
    expect(made).toEqual(ours);
    expect((await run(["id-block", "make", ...theirs, ...files])).exit).toBe(0);
    expect(ours.stdout).toContain((await readFile(path("b64/auth"), "utf8")).trim());
  });

  it("takes the launch digest from what measure wrote", async () => {
    const measured = path("m.json");
    const ovmf = join(VECTORS, "ovmf_AmdSev_suffix.bin");
    const shape = ["--vcpus", "2", "--vcpu-type", "EPYC-v4"];
    const { exit } = await run(["measure", "snp", "--ovmf", ovmf, ...shape, "--json", "--out", measured]);
    expect(exit).toBe(0);
    const digest =
      "ae7e31b6e2220dcb2832b050464cf9fb5da4feed92be5cdd966435c2ee722f341410bb2438923ee696bd23460ff9c904";
    const made = await run(["id-block", "make", "--launch-digest", measured, "--id-key", ID_KEY, "--json"]);
    expect(json(made.stdout)).toMatchObject({ launchDigest: digest });
    await writeFile(path("ld.txt"), `${digest}\n`);
    const fromText = await run([
      "id-block",
      "make",
      "--launch-digest",
      path("ld.txt"),
      "--id-key",
      ID_KEY,
      "--json",
    ]);
    expect(fromText).toEqual(made);
  });

  it("warns of policies that expose the guest or cannot launch, and makes them all the same", async () => {
    const argv = ["id-block", "make", "--launch-digest", LD, "--id-key", ID_KEY];
    expect((await run([...argv, "--policy", "smt,debug"])).stderr).toContain("BP-ID-101");
    expect((await run([...argv, "--policy", "0x10000"])).stderr).toContain("BP-ID-102");
    expect((await run([...argv])).stderr).toBe("");
    const zero = await run(["id-block", "make", "--launch-digest", "0".repeat(96), "--id-key", ID_KEY]);
    expect(zero.stderr).toContain("no guest has it");
    const debug = await run([...argv, "--policy", "smt,debug", "--json"]);
    expect(json(debug.stdout)).toMatchObject({ warnings: [{ code: "BP-ID-101" }] });
  });

  it.each([
    ["no launch digest", ["--id-key", ID_KEY]],
    ["no key", ["--launch-digest", LD]],
    ["a launch digest of SHA-256", ["--launch-digest", LD.slice(0, 64), "--id-key", ID_KEY]],
    ["a launch digest that is too long for a path", ["--launch-digest", LD.repeat(50), "--id-key", ID_KEY]],
    ["a launch digest cut by a digit", ["--launch-digest", LD.slice(1), "--id-key", ID_KEY]],
    ["a policy of 65 bits", ["--launch-digest", LD, "--id-key", ID_KEY, "--policy", "0x10000000000000000"]],
    ["a policy bit that is none", ["--launch-digest", LD, "--id-key", ID_KEY, "--policy", "smt,dbug"]],
    ["a guest SVN of 33 bits", ["--launch-digest", LD, "--id-key", ID_KEY, "--guest-svn", "4294967296"]],
    ["a family ID of 31 digits", ["--launch-digest", LD, "--id-key", ID_KEY, "--family-id", "1".repeat(31)]],
    [
      "a GUID, whose byte order is anyone's guess",
      ["--launch-digest", LD, "--id-key", ID_KEY, "--image-id", "f73a6949-e8f3-473b-9553-e40e056fa3a2"],
    ],
    ["a public key without a signature", ["--launch-digest", LD, "--id-public-key", ID_KEY]],
    ["a private key and a signature", ["--launch-digest", LD, "--id-key", ID_KEY, "--id-signature", ID_KEY]],
  ])("refuses %s", async (_what, argv) => {
    const { exit, stdout, stderr } = await run(["id-block", "make", ...argv]);
    expect(stdout).toBe("");
    expect(stderr).toContain("bootproof: error:");
    expect(exit).toBe(64);
  });
});

describe("id-block make with keys that are not what is needed", () => {
  const pem = (key: KeyObject, type: "pkcs8" | "sec1" | "spki" | "pkcs1"): string =>
    key.export({ type, format: "pem" } as never) as unknown as string;
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ed25519 = generateKeyPairSync("ed25519");
  const encrypted = p384.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "x",
  });

  it.each([
    ["a key on P-256", pem(p256.privateKey, "pkcs8"), "prime256v1"],
    ["an Ed25519 key", pem(ed25519.privateKey, "pkcs8"), "ed25519"],
    ["a public key", pem(p384.publicKey, "spki"), "something else"],
    ["an encrypted key", encrypted, "encrypted"],
    ["an empty file", "", "something else"],
    ["text", "not a key\n", "something else"],
    ["a cut key", pem(p384.privateKey, "pkcs8").slice(0, 150), "something else"],
  ])("says what is wrong with %s, and quotes nothing of it", async (what, content, word) => {
    const file = path(`${what}.pem`);
    await writeFile(file, content);
    const { exit, stdout, stderr } = await run(["id-block", "make", "--launch-digest", LD, "--id-key", file]);
    expect(exit).toBe(65);
    expect(stderr).toContain("BP-ID-005");
    expect(stderr).toContain(word);
    for (const line of String(content).split("\n"))
      if (line.length > 40) expect(stdout + stderr).not.toContain(line);
  });

  it("reads private keys in every usual form", async () => {
    const forms = {
      "pkcs8.pem": pem(p384.privateKey, "pkcs8"),
      "sec1.pem": pem(p384.privateKey, "sec1"),
      "pkcs8.der": p384.privateKey.export({ type: "pkcs8", format: "der" }),
      "sec1.der": p384.privateKey.export({ type: "sec1", format: "der" }),
    };
    const answers = new Set<string>();
    for (const [name, content] of Object.entries(forms)) {
      await writeFile(path(name), content);
      const argv = ["--launch-digest", LD, "--id-key", path(name)];
      answers.add((await run(["id-block", "make", ...argv])).stdout);
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain("id-auth=");
  });

  it("says that a key file is missing", async () => {
    const { exit, stderr } = await run([
      "id-block",
      "make",
      "--launch-digest",
      LD,
      "--id-key",
      path("absent"),
    ]);
    expect(exit).toBe(66);
    expect(stderr).toContain("absent");
  });
});

describe("id-block make with signatures made elsewhere", () => {
  const id = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const author = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const der = async (file: string, key: KeyObject): Promise<Buffer> =>
    createSign("sha384")
      .update(await readFile(file))
      .sign(key);
  const fields = ["--launch-digest", LD, "--policy", "0x30000", "--image-id", "an image"];

  beforeAll(async () => {
    await writeFile(path("id.pub"), id.publicKey.export({ type: "spki", format: "pem" }));
    await writeFile(path("author.pub"), author.publicKey.export({ type: "spki", format: "der" }));
    const argv = ["--to-sign", path("to-sign"), "--id-public-key", path("id.pub")];
    const { exit, stdout } = await run(["id-block", "make", ...fields, ...argv]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/id-block\.bin\n {2}ID key signs it[^]*id-key\.bin\n {2}author key signs it/);
  });

  it("joins them to what verify accepts, in whichever form they come", async () => {
    const block = await der(path("to-sign/id-block.bin"), id.privateKey);
    const key = await der(path("to-sign/id-key.bin"), author.privateKey);
    const raw = createSign("sha384")
      .update(await readFile(path("to-sign/id-block.bin")))
      .sign({ key: id.privateKey, dsaEncoding: "ieee-p1363" });
    await writeFile(path("key.sig"), `${key.toString("base64").replaceAll(/(.{64})/g, "$1\n")}\n`);
    for (const [name, signature] of [
      ["der.sig", block],
      ["raw.sig", raw],
      ["hex.sig", `${block.toString("hex")}\n`],
    ] as const) {
      await writeFile(path(name), signature);
      const out = path(`out-${name}`);
      const made = await run([
        ...["id-block", "make", "--id-block", path("to-sign/id-block.bin"), "--out", out],
        ...["--id-public-key", path("id.pub"), "--id-signature", path(name)],
        ...["--author-public-key", path("author.pub"), "--author-signature", path("key.sig")],
      ]);
      expect(made).toMatchObject({ exit: 0, stderr: "" });
      const verdict = await run([
        ...["id-block", "verify", join(out, "id-block.bin"), join(out, "id-auth.bin"), ...fields],
        ...["--id-key", path("id.pub"), "--author-key", path("author.pub")],
      ]);
      expect(verdict.exit).toBe(0);
    }
  });

  it("refuses a signature of other bytes, by another key or with another hash", async () => {
    const block = path("to-sign/id-block.bin");
    await writeFile(path("other-bytes.sig"), await der(path("to-sign/id-key.bin"), id.privateKey));
    await writeFile(path("other-key.sig"), await der(block, author.privateKey));
    const sha256 = createSign("sha256")
      .update(await readFile(block))
      .sign(id.privateKey);
    await writeFile(path("other-hash.sig"), sha256);
    for (const name of ["other-bytes.sig", "other-key.sig", "other-hash.sig"]) {
      const argv = ["--id-block", block, "--id-public-key", path("id.pub"), "--id-signature", path(name)];
      const { exit, stderr } = await run(["id-block", "make", ...argv, "--out", path("never")]);
      expect(exit).toBe(65);
      expect(stderr).toContain("BP-ID-003");
    }
    await expect(readFile(path("never/id-block.bin"))).rejects.toThrow();
  });

  it("refuses files that are no signature", async () => {
    for (const content of ["", "x", "30", Buffer.alloc(95, 1), Buffer.alloc(4097)]) {
      await writeFile(path("no.sig"), content);
      const argv = [...fields, "--id-public-key", path("id.pub"), "--id-signature", path("no.sig")];
      expect((await run(["id-block", "make", ...argv])).exit).toBe(65);
    }
  });
});

describe("id-block verify", () => {
  beforeAll(async () => {
    const argv = ["--launch-digest", LD, "--id-key", ID_KEY, "--author-key", AUTHOR_KEY, "--out", path("v")];
    expect((await run(["id-block", "make", ...argv])).exit).toBe(0);
  });
  const both = (): string[] => ["--id-block", path("v/id-block.bin"), "--id-auth", path("v/id-auth.bin")];

  it("says no with exit status 1 to another launch digest, and says which", async () => {
    const other = vectors[1]!.launchDigest;
    const { exit, stdout } = await run(["id-block", "verify", ...both(), "--launch-digest", other, "--json"]);
    expect(exit).toBe(1);
    expect(json(stdout)).toMatchObject({
      schema: "bootproof/identity-verdict/1",
      answer: "no",
      idKeyDigest: vectors[0]!.idKeyDigest,
      idBlock: { launchDigest: LD },
    });
    expect(stdout).toContain(`must be ${other}, is ${LD}`);
  });

  it("does not decide with one of the two files", async () => {
    expect((await run(["id-block", "verify", path("v/id-block.base64")])).exit).toBe(2);
    expect((await run(["id-block", "verify", "--id-auth", path("v/id-auth.bin")])).exit).toBe(2);
  });

  it("answers any damage to the files with no or malformed, never with yes", async () => {
    const block = await readFile(path("v/id-block.bin"));
    const auth = await readFile(path("v/id-auth.bin"));
    const place = fc.oneof(fc.nat(95), fc.integer({ min: 96, max: 4191 }));
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const whole = Buffer.concat([block, auth]);
        whole[at]! ^= mask;
        await writeFile(path("d.block"), whole.subarray(0, 96));
        await writeFile(path("d.auth"), whole.subarray(96));
        expect((await run(["id-block", "verify", path("d.block"), path("d.auth")])).exit).toBe(1);
      }),
      { numRuns: 30 },
    );
    for (const content of ["", "AAAA", "?", auth.subarray(1), Buffer.concat([auth, block])]) {
      await writeFile(path("d.auth"), content);
      const argv = ["--id-block", path("v/id-block.bin"), "--id-auth", path("d.auth")];
      expect((await run(["id-block", "verify", ...argv])).exit).toBe(65);
    }
  });

  it("refuses expected values that were never filled in", async () => {
    for (const flag of ["--launch-digest", "--id-key-digest", "--author-key-digest"]) {
      const { exit, stderr } = await run(["id-block", "verify", ...both(), flag, "0".repeat(96)]);
      expect(exit).toBe(64);
      expect(stderr).toContain(flag);
    }
  });

  it.each([
    ["nothing to verify", []],
    ["two ID blocks that differ", ["v/id-block.bin", "other.block"]],
  ])("refuses %s", async (_what, files) => {
    await writeFile(path("other.block"), Buffer.alloc(96));
    expect((await run(["id-block", "verify", ...files.map(path)])).exit).toBe(64);
  });

  it("takes everything that make wrote: the same structure twice is one", async () => {
    const files = ["id-block.bin", "id-block.base64", "id-auth.bin", "id-auth.base64"];
    expect((await run(["id-block", "verify", ...files.map((name) => path(`v/${name}`))])).exit).toBe(0);
  });

  it("refuses the two files in each other's place", async () => {
    const argv = ["--id-block", path("v/id-auth.bin"), "--id-auth", path("v/id-block.bin")];
    expect((await run(["id-block", "verify", ...argv])).exit).toBe(65);
  });
});

describe("id-block show and key-digest", () => {
  it("show either structure, binary, base64 and base64 in lines", async () => {
    const made = await run([
      "id-block",
      "make",
      "--launch-digest",
      LD,
      "--id-key",
      ID_KEY,
      "--out",
      path("s"),
    ]);
    expect(made.exit).toBe(0);
    const lines = (await readFile(path("s/id-auth.base64"), "utf8")).replaceAll(/(.{76})/g, "$1\r\n");
    await writeFile(path("s/lines"), lines);
    const files = ["s/id-block.bin", "s/id-block.base64", "s/id-auth.bin", "s/lines"].map(path);
    const { exit, stdout } = await run(["id-block", "show", ...files, "--json"]);
    expect(exit).toBe(0);
    const shown = json(stdout)["files"] as { kind: string }[];
    expect(shown.map(({ kind }) => kind)).toEqual(["id-block", "id-block", "id-auth", "id-auth"]);
    expect(shown[0]).toMatchObject({ launchDigest: LD, policy: "0x30000" });
    expect(shown[3]).toMatchObject({ idKey: { algorithm: 1, curve: 2, digest: vectors[0]!.idKeyDigest } });
    const text = await run(["id-block", "show", ...files]);
    expect(text.stdout).toContain("not verified");
    expect(text.stdout).toContain("author key");
  });

  it("read both structures from an IGVM file", async () => {
    const block = Buffer.from(LD, "hex");
    const directive = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), block, Buffer.alloc(640)]);
    directive[88] = 1;
    await writeFile(
      path("x.igvm"),
      buildIgvm({ headers: [platform(), guestPolicy(), header(0x30b, directive)] }),
    );
    const { exit, stdout } = await run(["id-block", "show", path("x.igvm"), "--json"]);
    expect(exit).toBe(0);
    expect(json(stdout)["files"]).toMatchObject([
      { kind: "id-block", launchDigest: LD, version: 1, policy: "0x30000" },
      { kind: "id-auth", idKey: { algorithm: 0 } },
    ]);
    // Its keys and signatures are zeros.
    expect((await run(["id-block", "verify", path("x.igvm")])).exit).toBe(1);
    await writeFile(path("none.igvm"), buildIgvm({ headers: [platform(), guestPolicy()] }));
    const none = await run(["id-block", "verify", path("none.igvm")]);
    expect(none.exit).toBe(65);
    expect(none.stderr).toContain("SNP_ID_BLOCK");
  });

  it("refuse what is neither, and say that a file is missing", async () => {
    await writeFile(path("neither"), Buffer.alloc(97));
    expect((await run(["id-block", "show", path("neither")])).stderr).toContain("BP-ID-004");
    expect((await run(["id-block", "show", path("absent")])).exit).toBe(66);
  });

  it("give a key the digest that reports show", async () => {
    const { stdout } = await run(["id-block", "key-digest", AUTHOR_KEY]);
    expect(stdout).toBe(`${vectors[0]!.authorKeyDigest}\n`);
  });
});
