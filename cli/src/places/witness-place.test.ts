import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { KEY_TYPE } from "@bootproof/bytes";
import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { beforeAll, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { WitnessPlace } from "./witness-place.ts";

const key = (seed: number, type: 1 | 4 | 6): string =>
  formatSigningKey(makeSigningKey("w.example.org", new Uint8Array(32).fill(seed), type));

describe("a witness whose key is elsewhere", () => {
  let folder: string;
  beforeAll(async () => (folder = await scratchFolder()));
  const init = (dir: string, env: Record<string, string>, ...more: string[]): ReturnType<typeof run> =>
    run(["witness", "init", "--dir", join(folder, dir), "--key", "env:KEY", ...more], env);
  const open = (dir: string, env: Record<string, string>): Promise<WitnessPlace> =>
    WitnessPlace.open(join(folder, dir), () => undefined, env);

  it("cosigns with it, and with a second one beside it, and holds no secret", async () => {
    const env = { KEY: key(1, KEY_TYPE.cosignature) };
    const { exit, stdout } = await init("both", env, "--ml-dsa", "--name", "w.example.org");
    expect(exit).toBe(0);
    const { signers } = await open("both", env);
    expect(stdout.match(/^key +(.*)$/gm)).toEqual(signers.map(({ vkey }) => `key      ${vkey}`));
    expect(await readFile(join(folder, "both/keys.json"), "utf8")).not.toContain(env.KEY.slice(-30, -4));
    expect((await init("both", env)).exit).toBe(74);
  });

  it("does not serve with another key, or without it", async () => {
    await init("other", { KEY: key(1, KEY_TYPE.cosignature) });
    await expect(open("other", { KEY: key(2, KEY_TYPE.cosignature) })).rejects.toMatchObject({
      code: "BP-SIGN-004",
    });
    await expect(open("other", {})).rejects.toMatchObject({ code: "BP-SIGN-001" });
    await writeFile(join(folder, "other/keys.json"), "{}");
    await expect(open("other", {})).rejects.toMatchObject({
      file: expect.stringContaining("keys.json") as string,
    });
  });

  it("never cosigns with a log's key, nor under another name than the key's", async () => {
    expect((await init("log", { KEY: key(1, KEY_TYPE.ed25519) })).exit).toBe(64);
    expect((await init("named", { KEY: key(1, KEY_TYPE.cosignature) }, "--name", "x")).exit).toBe(64);
  });
});
