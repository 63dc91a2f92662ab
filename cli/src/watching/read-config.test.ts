import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { formatVkey, KEY_TYPE, utf8 } from "@bootproof/bytes";
import { makeSigningKey } from "@bootproof/bytes/signing";
import { beforeAll, describe, expect, it } from "vitest";

import { Context } from "../frame/context.ts";
import { Failure } from "../frame/failure.ts";
import { Given } from "../frame/given.ts";
import { formatPolicy } from "../releasing/policy-file.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { readWatchConfig } from "./read-config.ts";
import type { WatchConfig } from "./watch-config.ts";
import { keyOf, LOG_KEY, PUBLISHER, quiet } from "./watched.testing.ts";

const KEY = formatVkey(LOG_KEY.vkey);
const WITNESS = makeSigningKey("w.test", new Uint8Array(32).fill(7), KEY_TYPE.cosignature);

describe("a watcher's configuration", async () => {
  const folder = await scratchFolder();
  const sink = { write: () => true };
  const context = new Context(quiet(false), {
    stdout: sink,
    stderr: sink,
    env: { HOOK_SECRET: `whsec_${Buffer.from("0123456789abcdef").toString("base64")}` },
    cwd: folder,
    signal: new AbortController().signal,
  });
  const given = (values: Record<string, unknown>): Given => new Given([], values);

  async function read(text: string): Promise<WatchConfig> {
    await writeFile(join(folder, "watch.yaml"), text);
    return readWatchConfig(context, given({ config: "watch.yaml" }));
  }

  async function refusal(text: string): Promise<readonly string[]> {
    const failure = await read(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect((failure as Failure).code).toBe("BP-WATCH-001");
    return (failure as Failure).detail.issues ?? [];
  }

  beforeAll(async () => {
    const keys = { release: "acme-os", publisher: formatVkey(PUBLISHER.vkey), log: KEY };
    await writeFile(join(folder, "acme.policy.yaml"), formatPolicy(keys));
    await writeFile(
      join(folder, "log.witnesses"),
      `log ${KEY}\nwitness w ${formatVkey(WITNESS.vkey)} https://w.test/\nquorum w\n`,
    );
    await writeFile(join(folder, "hook.secret"), "a secret that is long enough\n");
  });

  it("is read with the files that it names, relative to itself", async () => {
    const config = await read(`
logs:
  - log: https://log.test/
    key: ${KEY}
    witnesses: log.witnesses
  - {log: other/log, key: [${formatVkey(keyOf("other.test").vkey)}]}
names: [acme-*]
policy: acme.policy.yaml
revoked: [${formatVkey(keyOf("old.test").vkey)}]
every: 30s
staleAfter: 2d
alerts:
  stdout: json
  webhooks:
    - url: https://hooks.test/x
      secret: {file: hook.secret}
    - url: http://127.0.0.1:8080/
      allowHttp: true
      secret: {env: HOOK_SECRET}
      timeout: 3s
  feed: {file: alerts.atom, entries: 7}
  exec:
    - command: [mail, -s, alert, ops@acme.test]
`);
    expect(config).toMatchObject({
      state: join(folder, "watch.state"),
      logs: [{ place: "https://log.test/" }, { place: join(folder, "other/log"), witnesses: undefined }],
      names: ["acme-*"],
      publishers: [{ organisation: "acme.test" }],
      revoked: [{ name: "old.test" }],
      every: 30,
      staleAfter: 172_800,
      unreadableAfter: 3600,
      alerts: {
        stdout: "json",
        webhooks: [
          { url: "https://hooks.test/x", secret: utf8("a secret that is long enough"), timeout: 10 },
          { secret: utf8("0123456789abcdef"), timeout: 3 },
        ],
        feed: { file: join(folder, "alerts.atom"), entries: 7 },
        exec: [{ command: ["mail", "-s", "alert", "ops@acme.test"], timeout: 30 }],
      },
    });
    expect(config.logs[0]?.witnesses?.witnesses).toMatchObject([{ name: "w", url: "https://w.test/" }]);
  });

  it("is refused with line, column and what was meant", async () => {
    const base = `logs: [{log: x, key: ${KEY}}]\nnames: any\n`;
    expect(await refusal(`${base}evry: 5m\n`)).toEqual([
      "watch.yaml:3:1: evry: unknown key; did you mean every?",
    ]);
    expect(await refusal(`${base}every: 5 minutes\n`)).toEqual([
      'watch.yaml:3:8: every: expected a time such as 30s, 15m, 24h or 7d, found "5 minutes"',
    ]);
    expect(await refusal(`${base}alerts:\n  stdout: jsn\n`)).toEqual([
      'watch.yaml:4:11: alerts.stdout: expected one of text, json, none, found "jsn"; did you mean json?',
    ]);
    expect(await refusal("names: any\n")).toEqual(["watch.yaml:1:1: logs: missing key"]);
    expect(await refusal(`${base}alerts:\n  webhooks: [{url: "http://x.test/"}]\n`)).toEqual([
      expect.stringMatching(/^watch\.yaml:4:\d+: alerts\.webhooks\.0: .*allowHttp: true$/),
    ]);
    expect(await refusal(`${base}alerts:\n  webhooks: [{url: "ftp://x.test/"}]\n`)).toEqual([
      expect.stringContaining("expected an https or http URL"),
    ]);
    const other = formatVkey(keyOf("other.test").vkey);
    expect(await refusal(`logs: [{log: x, key: [${KEY}, ${other}]}]\nnames: any\n`)).toEqual([
      expect.stringContaining("expected keys of one name"),
    ]);
    expect(await refusal(`${base}confirmedWithin: 7d\n`)).toEqual([
      expect.stringContaining("needs a policy"),
    ]);
  });

  it("is refused when a secret is missing or short, without showing it", async () => {
    const text = `logs: [{log: x, key: ${KEY}}]\nnames: any\nalerts: {webhooks: [{url: "https://x.test/", secret: {env: NOT_SET}}]}\n`;
    await expect(read(text)).rejects.toMatchObject({ code: "BP-WATCH-003", detail: { found: "0 bytes" } });
  });

  it("can be made of flags alone", async () => {
    const flags = { log: "https://log.test", vkey: KEY, name: ["acme-*", "acme"] };
    expect(await readWatchConfig(context, given(flags))).toMatchObject({
      logs: [{ place: "https://log.test" }],
      names: ["acme-*", "acme"],
      state: join(folder, "watch.state"),
      alerts: { stdout: "text", webhooks: [], exec: [] },
    });
    await expect(readWatchConfig(context, given({ log: "x" }))).rejects.toMatchObject({
      code: "BP-USAGE-002",
    });
    await expect(readWatchConfig(context, given({ ...flags, name: ["NO"] }))).rejects.toMatchObject({
      code: "BP-USAGE-002",
    });
    await expect(readWatchConfig(context, given({ ...flags, config: "watch.yaml" }))).rejects.toMatchObject({
      code: "BP-USAGE-002",
    });
  });
});
