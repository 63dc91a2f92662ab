import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { cosignatureSigner, LogError, mlDsa44Signer, Witness, type WitnessNetwork } from "@bootproof/log";
import { describe, expect, it } from "vitest";

import { createLog, openLog } from "../places/log-place.ts";
import { proofPolicy, witnessRule } from "../places/log-witnesses.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { logRelease, writeBundle } from "./log-release.ts";
import { formatPolicy, writePolicyFile } from "./policy-file.ts";
import { openStoreAt, publishGuest, signer } from "./published.testing.ts";

const PUBLISHER = signer("example.org/publisher");
const WITNESSES = [
  cosignatureSigner("w1.example.net", new Uint8Array(32).fill(61)),
  mlDsa44Signer("w2.example.net", new Uint8Array(32).fill(62)),
];

/** Witnesses in this process that know one log; those in `away` do not answer. */
function village(logKey: () => string, away: Set<number>): WitnessNetwork {
  const heads = WITNESSES.map(() => new Map<number, Uint8Array>());
  const witnesses = WITNESSES.map(
    (one, at) =>
      new Witness({
        signers: [one],
        logKeys: () => [logKey()],
        memory: () =>
          Promise.resolve({
            read: () => {
              const generation = heads[at]!.size;
              const bytes = heads[at]!.get(generation);
              return Promise.resolve(bytes === undefined ? undefined : { generation, bytes });
            },
            compareAndSwap: (expected, bytes) => {
              if (heads[at]!.size !== expected) return Promise.resolve("conflict");
              heads[at]!.set(expected + 1, bytes);
              return Promise.resolve("committed");
            },
          }),
        now: () => 1_700_000_000n,
      }),
  );
  return {
    request: async (url, body) => {
      const at = Number(/w([12])/.exec(url)?.[1]) - 1;
      if (away.has(at)) throw new Error("connection refused");
      return witnesses[at]!.addCheckpoint(body ?? new Uint8Array());
    },
    after: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

describe("a release in a log whose policy asks for witnesses", () => {
  it("is not published without them, and its policy then asks its verifiers for the same witnesses", async () => {
    const folder = await scratchFolder();
    const published = await publishGuest(await openStoreAt(join(folder, "store")), PUBLISHER);
    const lines = WITNESSES.map(
      ({ vkey }, at) => `witness w${at + 1} ${vkey} https://w${at + 1}.example.net`,
    );
    const bytes = new TextEncoder().encode(`${lines.join("\n")}\ngroup both all w1 w2\nquorum both\n`);
    let logKey = "";
    const away = new Set([1]);
    const network = village(() => logKey, away);
    const place = join(folder, "log");
    const started = await createLog(
      place,
      { origin: "example.org/log" },
      { network, policy: { file: "policy", bytes } },
    );
    logKey = started.signer.vkey;
    await expect(logRelease(started.log, published.signed).finally(started.close)).rejects.toThrow(LogError);
    expect((await readFile(join(place, "checkpoint"), "utf8")).split("\n")[1]).toBe("0");
    await expect(openLog(place)).rejects.toThrow("policy asks for witnesses");

    away.clear();
    const { log, witnesses, close } = await openLog(place, { network });
    const logged = await logRelease(log, published.signed).finally(close);
    expect(logged).toMatchObject({ index: 1n });
    const bundle = join(folder, "guest.tlog-proof");
    const policy = join(folder, "guest.policy.yaml");
    await writeBundle(bundle, logged.bundle, proofPolicy(logKey, witnesses));
    const keys = {
      release: "snp-guest",
      publisher: PUBLISHER.vkey,
      log: logKey,
      witnesses: witnessRule(witnesses),
    };
    await writePolicyFile(policy, keys);
    expect(keys.witnesses).toEqual({ need: 2, keys: WITNESSES.map(({ vkey }) => vkey) });
    const verified = await run(["verify", bundle, "--policy", policy, "--json"]);
    expect([verified.exit, JSON.parse(verified.stdout)]).toMatchObject([
      0,
      { answer: "yes", witnesses: [{ timestamp: 1_700_000_000 }, { timestamp: 1_700_000_000 }] },
    ]);

    const third = cosignatureSigner("w3.example.net", new Uint8Array(32).fill(63)).vkey;
    await writeFile(policy, formatPolicy({ ...keys, witnesses: { need: 1, keys: [third] } }));
    expect((await run(["verify", bundle, "--policy", policy])).exit).not.toBe(0);
  });
});
