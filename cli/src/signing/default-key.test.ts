import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { describe, expect, it } from "vitest";

import type { Context } from "../frame/context.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { openSigner } from "./default-key.ts";

const KEY = makeSigningKey("example.org/publisher", new Uint8Array(32).fill(8));
const contextOf = (cwd: string, env: Record<string, string>): Context => ({ cwd, env }) as unknown as Context;

describe("the key that a publisher signs with", () => {
  it("is the user's own, made once, unless one is named: by a path from here, or wherever it is", async () => {
    const folder = await scratchFolder();
    const env = { XDG_CONFIG_HOME: folder, K: formatSigningKey(KEY) };
    const made = await openSigner(contextOf(folder, env), undefined);
    expect(made).toMatchObject({ fresh: true, file: join(folder, "bootproof/signing.key") });
    expect((await stat(made.file)).mode & 0o777).toBe(0o600);
    const again = await openSigner(contextOf(folder, env), undefined);
    expect(again).toMatchObject({ fresh: false, signer: { vkey: made.signer.vkey } });
    await writeFile(join(folder, "my.key"), `${env.K}\n`);
    for (const named of ["my.key", "file:my.key", join(folder, "my.key"), "env:K"]) {
      const own = await openSigner(contextOf(folder, env), named);
      expect(own).toMatchObject({ fresh: false, signer: { name: "example.org/publisher" } });
    }
    await expect(openSigner(contextOf(folder, {}), "env:K")).rejects.toMatchObject({ code: "BP-SIGN-001" });
  });
});
