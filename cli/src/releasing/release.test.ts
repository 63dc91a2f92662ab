import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatHex, sha256 } from "@bootproof/bytes";
import { parseSigningKey } from "@bootproof/bytes/signing";
import { formatTlogProof } from "@bootproof/log";
import {
  formatEnvelope,
  hasAxes,
  parseEnvelope,
  readBootMeasurement,
  rebuildVerdict,
  releaseArtifacts,
  type PlatformMeasurements,
} from "@bootproof/statement";
import { parseBundle, verifyBundle } from "@bootproof/verify";
import { beforeAll, describe, expect, it } from "vitest";

import { createLog, openLog } from "../places/log-place.ts";
import type { OpenStore } from "../places/store-place.ts";
import { confirmRebuild, type Submitted } from "../rebuilding/confirm.ts";
import { compareRelease, locateDifference } from "../rebuilding/compare-release.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { logRelease, writeBundle } from "./log-release.ts";
import { formatPolicy, parsePolicy, writePolicyFile } from "./policy-file.ts";
import { builtGuest, openStoreAt, publishGuest, signer, type Published } from "./published.testing.ts";

const PUBLISHER = signer("example.org/publisher");
const REBUILDER = signer("example.net/rebuilder-1");

describe("a release, from artifacts to a verdict", () => {
  let folder: string;
  let store: OpenStore;
  let published: Published;
  let logKey: string;
  let bundle: string;
  let policy: string;

  beforeAll(async () => {
    folder = await scratchFolder();
    store = await openStoreAt(join(folder, "store"));
    published = await publishGuest(store, PUBLISHER);
    const { log, signer: logSigner } = await createLog(join(folder, "log"), { origin: "example.org/log" });
    logKey = logSigner.vkey;
    const logged = await logRelease(log, published.signed);
    await log.close();
    expect(logged).toMatchObject({ index: 1n, duplicate: false });
    bundle = join(folder, "guest.tlog-proof");
    policy = join(folder, "guest.policy.yaml");
    await writeBundle(bundle, logged.bundle, { logKey });
    await writePolicyFile(policy, { release: "snp-guest", publisher: PUBLISHER.vkey, log: logKey });
  });

  it("signs the same bytes for the same build, so that a second release finds its entry", async () => {
    const again = await publishGuest(await openStoreAt(join(folder, "elsewhere")), PUBLISHER);
    expect(formatHex(sha256(again.signed.measurement))).toBe(formatHex(sha256(published.signed.measurement)));
    expect(formatHex(sha256(again.signed.provenance))).toBe(formatHex(sha256(published.signed.provenance)));
  });

  it("names no time, no user and no path of the machine that made it", () => {
    const text = [published.signed.measurement, published.signed.provenance]
      .map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as { payload: string })
      .map(({ payload }) => Buffer.from(payload, "base64").toString())
      .join();
    expect(text).not.toMatch(/\/(work|root|home|tmp)\//);
    expect(text).not.toMatch(/20\d\d-\d\d-\d\dT/);
  });

  it("verifies with the policy that it leaves, artifacts and all", async () => {
    const artifact = join(folder, "vmlinuz");
    await writeFile(artifact, "a kernel");
    const { exit, stdout } = await run(["verify", bundle, artifact, "--policy", policy, "--json"]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ answer: "yes", release: { name: "snp-guest" } });
  });

  it("shows no escape sequence that is an artifact's name", async () => {
    const artifact = join(folder, "a\u001b[2Jb");
    await writeFile(artifact, "another");
    const { exit, stdout } = await run(["verify", bundle, artifact, "--policy", policy]);
    expect(exit).toBe(1);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("artifact a\\u{1b}[2Jb");
  });

  it("says no to an artifact with one other byte", async () => {
    const artifact = join(folder, "OVMF.fd");
    await writeFile(artifact, "a kernel.");
    const { exit, stdout } = await run(["verify", bundle, artifact, "--policy", policy]);
    expect(exit).toBe(1);
    expect(stdout).toMatch(/^no\s+artifact OVMF\.fd\s+differs/m);
  });

  it.each([
    ["another publisher", { publisher: REBUILDER.vkey }],
    ["another log", { log: signer("example.org/log").vkey }],
    ["a publisher of other releases only", { release: "other" }],
  ])("says no when the policy names %s", async (_name, other) => {
    const file = join(folder, "other.policy.yaml");
    await writeFile(
      file,
      formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log: logKey, ...other }),
    );
    expect((await run(["verify", bundle, "--policy", file])).exit).toBe(1);
  });

  it("refuses a policy that leaves a rule out, with its line: nothing is unchecked by omission", async () => {
    const file = join(folder, "short.policy.yaml");
    await writeFile(file, (await readFile(policy, "utf8")).replace("witnesses: any\n", ""));
    const { exit, stderr } = await run(["verify", bundle, "--policy", file]);
    expect(exit).toBe(78);
    expect(stderr).toMatch(/short\.policy\.yaml:\d+:\d+: witnesses/);
  });

  it("refuses a bundle cut short at any line with 65", async () => {
    const lines = (await readFile(bundle, "utf8")).split("\n");
    const file = join(folder, "cut.tlog-proof");
    for (let keep = 0; keep < lines.length - 1; keep++) {
      await writeFile(file, lines.slice(0, keep).join("\n"));
      expect((await run(["verify", file, "--policy", policy])).exit, `${String(keep)} lines`).toBe(65);
    }
  });

  it("finds its launch digests, artifacts and actions in the log", async () => {
    const { stdout } = await run(["inspect", bundle]);
    const digest = /x 4 launchDigest\s+([0-9a-f]{96})/.exec(stdout)?.[1] ?? "";
    const found = await run(["lookup", `sha384:${digest.toUpperCase()}`, "--log", join(folder, "log")]);
    expect(found.stdout).toMatch(/snp-guest 1 .*launchDigest of qemu EPYC-Genoa x 4/);
    const artifact = releaseArtifacts(readRelease(await readFile(bundle)))[0]?.sha256 ?? "";
    expect((await run(["lookup", artifact, "--log", join(folder, "log")])).exit).toBe(0);
    expect((await run(["lookup", "11".repeat(48), "--log", join(folder, "log")])).exit).toBe(1);
  });

  it("lists what a key signed, and not what only claims so", async () => {
    const log = join(folder, "log");
    const { vkey, name, keyId } = PUBLISHER;
    const signed = await run(["lookup", vkey, "--log", log]);
    expect(signed).toMatchObject({ exit: 0 });
    expect(signed.stdout).toMatch(/^1\s+boot-measurement\s+snp-guest 1\s+signer \(signature verified\)/m);
    expect((await run(["lookup", `${name}+${keyId}`, "--log", log])).stdout).toContain("signer (claimed)");
    expect((await run(["lookup", REBUILDER.vkey, "--log", log])).exit).toBe(1);
    expect((await run(["lookup", `${vkey}A`, "--log", log])).exit).toBe(65);
    expect((await run(["lookup", "nonsense", "--log", log])).exit).toBe(64);
    const forged = join(folder, "forged.json");
    const envelope = parseEnvelope(published.signed.measurement);
    const [signature = { keyid: "", sig: new Uint8Array() }] = envelope.signatures;
    const signatures = [{ ...signature, sig: signature.sig.map((byte) => byte ^ 1) }];
    await writeFile(forged, formatEnvelope({ ...envelope, signatures }));
    const other = join(folder, "forged-log");
    await run(["log", "init", "--log", other]);
    expect((await run(["log", "add", forged, "--log", other])).exit).toBe(0);
    expect((await run(["lookup", `${name}+${keyId}`, "--log", other])).exit).toBe(0);
    expect((await run(["lookup", vkey, "--log", other])).exit).toBe(1);
  });

  it("keeps a policy that was edited, and replaces one of other keys", async () => {
    const keys = { release: "snp-guest", publisher: PUBLISHER.vkey, log: logKey };
    const file = join(folder, "kept.policy.yaml");
    expect(await writePolicyFile(file, keys)).toBe("written");
    await writeFile(file, `# mine\n${await readFile(file, "utf8")}`);
    expect(await writePolicyFile(file, keys)).toBe("kept");
    const next = signer("example.org/log").vkey;
    expect(await writePolicyFile(file, { ...keys, log: next })).toBe("written");
    // While the log changes its key, either of them will do for a verifier.
    expect(await writePolicyFile(file, { ...keys, log: [logKey, next] })).toBe("written");
    expect((await run(["verify", bundle, "--policy", file])).exit).toBe(0);
  });

  describe("confirmed by a rebuilder", () => {
    const rebuilds = `rebuilds: {need: 1, accept: [IDENTICAL], rebuilders: [{organisation: example.net, key: "${REBUILDER.vkey}"}]}`;
    const strict = (): string =>
      formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log: logKey }).replace(
        "rebuilds: any",
        rebuilds,
      );

    async function append(envelope: Uint8Array): Promise<Submitted> {
      const { log, close } = await openLog(join(folder, "log"));
      const [appended] = await log.append([envelope]);
      const bundle = formatTlogProof(await log.proof(appended!.index));
      await close();
      return { ...appended!, bundle };
    }

    async function confirmation(
      kernel: string,
    ): Promise<{ verdict: string; bundle: Uint8Array; place: string | undefined }> {
      const bytes = new Uint8Array(await readFile(bundle));
      const statement = readRelease(bytes);
      const { place } = verifyBundle({ bundle: bytes, policy: parsePolicy(strict(), "p") });
      const rebuilt = await compareRelease(store, statement, await builtGuest(store, kernel));
      const verdict = rebuildVerdict(rebuilt);
      const { submitted } = await confirmRebuild({
        published: statement,
        place,
        rebuilt: { ...rebuilt, verdict, actions: [] },
        signer: REBUILDER,
        organisation: "example.net",
        folder: join(folder, "confirmations"),
        submit: (envelope) => append(envelope),
      });
      const differing = rebuilt.artifacts.find(({ expected, found }) => expected.sha256 !== found?.sha256);
      const at = differing && (await locateDifference(store, differing, folder));
      return { verdict, bundle: new Uint8Array(await readFile(submitted?.bundle ?? "")), place: at };
    }

    it("could not decide before, yes after IDENTICAL", async () => {
      const bytes = new Uint8Array(await readFile(bundle));
      const asked = parsePolicy(strict(), "strict.policy.yaml");
      expect(verifyBundle({ bundle: bytes, policy: asked }).answer).toBe("undecided");
      const { verdict, bundle: confirming } = await confirmation("a kernel");
      expect(verdict).toBe("IDENTICAL");
      expect(verifyBundle({ bundle: bytes, policy: asked, confirmations: [confirming] }).answer).toBe("yes");
    });

    it("no after DIVERGED, with the place of the first difference", async () => {
      const { verdict, bundle: denying, place } = await confirmation("a kernem");
      expect(verdict).toBe("DIVERGED");
      expect(place).toBe("first at offset 0x7");
      const bytes = new Uint8Array(await readFile(bundle));
      const policyNow = parsePolicy(strict(), "strict.policy.yaml");
      expect(verifyBundle({ bundle: bytes, policy: policyNow, confirmations: [denying] }).answer).toBe("no");
    });
  });

  it("says DIVERGED when the files are the same but the published registers are not theirs", async () => {
    const statement = readRelease(await readFile(bundle));
    const built = await builtGuest(store);
    const lie = (entry: PlatformMeasurements): PlatformMeasurements =>
      hasAxes(entry) ? { ...entry, reference: { ...entry.reference, prefix: "66".repeat(48) } } : entry;
    const measurements = statement.predicate.measurements.map(lie);
    const lying = { ...statement, predicate: { ...statement.predicate, measurements } };
    const { artifacts, registers } = await compareRelease(store, lying, built);
    expect(artifacts.every(({ expected, found }) => expected.sha256 === found?.sha256)).toBe(true);
    expect(rebuildVerdict({ artifacts, registers })).toBe("DIVERGED");
    expect(rebuildVerdict(await compareRelease(store, statement, built))).toBe("IDENTICAL");
  });

  it("keeps an older bundle of the same entry when the log has grown", async () => {
    const before = await readFile(bundle, "utf8");
    const key = parseSigningKey((await readFile(join(folder, "log.private/log.key"), "utf8")).trim());
    expect(key.vkey.name).toBe("example.org/log");
    const proof = await run(["log", "proof", "1", "--log", join(folder, "log")]);
    await writeBundle(bundle, new TextEncoder().encode(proof.stdout), { logKey });
    expect(await readFile(bundle, "utf8")).toBe(before);
  });
});

function readRelease(bytes: Uint8Array): ReturnType<typeof readBootMeasurement> {
  const { statement } = parseBundle(new Uint8Array(bytes));
  if (statement === undefined) throw new Error("no statement");
  return readBootMeasurement(statement);
}
