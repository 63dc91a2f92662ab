import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { utf8 } from "@bootproof/bytes";
import { ed25519Signer, formatTlogProof, parseNote, parseTlogProof, signNote } from "@bootproof/log";
import { beforeAll, describe, expect, it } from "vitest";

import { logRelease } from "../releasing/log-release.ts";
import { formatPolicy } from "../releasing/policy-file.ts";
import { openStoreAt, publishGuest, signer, type Published } from "../releasing/published.testing.ts";
import { run, type Caught } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { createLog, openLog } from "./log-place.ts";

const PUBLISHER = signer("example.org/publisher");

describe("bundles: proofs that nobody can connect while offline", () => {
  let folder: string;
  let log: string;
  let forked: string;
  let policy: string;
  let published: Published;

  /** Adds entries to a log and the release after them, when it is not there; writes the release's bundle. */
  async function bundle(place: string, name: string, before: readonly string[]): Promise<string> {
    const opened = await openLog(place);
    if (before.length > 0) await opened.log.append(before.map(utf8));
    const { index } = await logRelease(opened.log, published.signed);
    const file = join(folder, `${name}.tlog-proof`);
    await writeFile(file, formatTlogProof(await opened.log.proof(index)));
    await opened.close();
    return file;
  }
  const verify = (file: string, state: string): Promise<Caught> =>
    run(["verify", file, "--policy", policy, "--offline"], { BOOTPROOF_STATE: join(folder, state) });
  const look = (place: string, state: string): Promise<Caught> =>
    run(["log", "checkpoint", "--log", place], { BOOTPROOF_STATE: join(folder, state) });

  beforeAll(async () => {
    folder = await scratchFolder();
    [log, forked, policy] = [join(folder, "log"), join(folder, "forked"), join(folder, "guest.policy.yaml")];
    published = await publishGuest(await openStoreAt(join(folder, "store")), PUBLISHER);
    const { close, signer: own } = await createLog(log, { origin: "example.org/log" });
    await close();
    for (const part of ["", ".private"]) await cp(`${log}${part}`, `${forked}${part}`, { recursive: true });
    await writeFile(policy, formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log: own.vkey }));
  });

  it("are believed older and newer than what was seen, and say no once they contradict it", async () => {
    const first = await bundle(log, "first", ["a"]);
    const later = await bundle(log, "later", ["b", "c"]);
    for (const file of [later, first, later]) expect((await verify(file, "reader")).exit).toBe(0);
    const lie = await bundle(forked, "lie", ["another"]);
    expect((await verify(lie, "newcomer")).exit).toBe(0);
    const { exit, stderr } = await verify(lie, "reader");
    expect([exit, stderr]).toEqual([1, expect.stringContaining("BP-LOG-031")]);
    expect(await readdir(join(folder, "reader/evidence"))).toHaveLength(1);
  });

  it("are connected, or refuted, when the log is read again", async () => {
    expect((await look(log, "reader")).exit).toBe(0);
    const lie = await bundle(forked, "other-lie", ["x", "y", "z"]);
    await bundle(log, "more", ["d", "e", "f", "g"]);
    expect((await verify(lie, "reader")).exit).toBe(0);
    const { exit, stderr } = await look(log, "reader");
    expect([exit, stderr]).toEqual([1, expect.stringContaining("BP-LOG-032")]);
    expect((await look(log, "newer-reader")).exit).toBe(0);
  });

  it("leave no trace when the log did not sign them", async () => {
    const { exit } = await run(
      ["verify", join(folder, "first.tlog-proof"), "--policy", await strangersPolicy()],
      {
        BOOTPROOF_STATE: join(folder, "stranger"),
      },
    );
    expect(exit).toBe(1);
    expect(await readdir(folder)).not.toContain("stranger");
  });

  it("of another tree are no better when the log's next key signed them", async () => {
    const next = ed25519Signer("example.org/log", new Uint8Array(32).fill(5));
    const { checkpoint, ...proof } = parseTlogProof(await readFile(join(folder, "lie.tlog-proof")));
    const resigned = await signNote(parseNote(checkpoint).unverifiedText, [next]);
    const lie = join(folder, "resigned.tlog-proof");
    await writeFile(lie, formatTlogProof({ ...proof, checkpoint: resigned }));
    const logs = [(await readFile(join(log, "log.vkey"), "utf8")).trim(), next.vkey];
    await writeFile(policy, formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log: logs }));
    expect((await verify(lie, "other-newcomer")).exit).toBe(0);
    const first = await verify(join(folder, "first.tlog-proof"), "other-newcomer");
    expect([first.exit, first.stderr]).toEqual([1, expect.stringContaining("BP-LOG-031")]);
    expect((await verify(join(folder, "first.tlog-proof"), "other-reader")).exit).toBe(0);
    const { exit, stderr } = await verify(lie, "other-reader");
    expect([exit, stderr]).toEqual([1, expect.stringContaining("BP-LOG-031")]);
  });

  async function strangersPolicy(): Promise<string> {
    const file = join(folder, "stranger.policy.yaml");
    const log = signer("example.org/stranger").vkey;
    await writeFile(file, formatPolicy({ release: "snp-guest", publisher: PUBLISHER.vkey, log }));
    return file;
  }
});
