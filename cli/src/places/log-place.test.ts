import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatVkey } from "@bootproof/bytes";
import { formatSigningKey, makeSigningKey } from "@bootproof/bytes/signing";
import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { createLog } from "./log-place.ts";

describe("starting a log", () => {
  it("does not remember a key that cannot sign: the log could be started with no other", async () => {
    const folder = await scratchFolder();
    const key = makeSigningKey("example.org/log", new Uint8Array(32).fill(3));
    const program = join(folder, "signer.json");
    const vkey = formatVkey(key.vkey);
    await writeFile(program, JSON.stringify({ schema: "bootproof/signer/1", command: ["/bin/false"], vkey }));
    const log = join(folder, "log");
    await expect(createLog(log, { key: { kind: "command", path: program } })).rejects.toMatchObject({
      code: "BP-SIGN-002",
    });
    const surroundings = { env: { K: formatSigningKey(key) } };
    const { close, signer } = await createLog(log, { key: { kind: "env", name: "K" } }, surroundings);
    await close();
    expect(signer.vkey).toBe(vkey);
  });
});
