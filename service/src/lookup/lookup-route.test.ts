import { join } from "node:path";

import { formatHex, formatVkey, utf8 } from "@bootproof/bytes";
import { leafHash, Log, LogReader } from "@bootproof/log";
import { beforeAll, describe, expect, it } from "vitest";

import { ACME, releaseStatement, seal } from "../admission/tenants.testing.ts";
import { refuseAsJson } from "../http/answer.ts";
import { startServer, type RunningServer } from "../http/frame.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { newPlace } from "../served-log.testing.ts";
import { LookupIndex } from "./lookup-index.ts";
import { lookupRoute } from "./lookup-route.ts";

const leaf = await seal(releaseStatement("acme-guest"), ACME);
const entries = [leaf, utf8("x"), await seal(releaseStatement("acme-other"), ACME)];

let server: RunningServer;
beforeAll(async () => {
  const place = await newPlace();
  const log = await Log.open(place);
  await log.append(entries);
  const index = LookupIndex.open(join(await scratchFolder(), "lookup.sqlite"));
  await index.follow(log.reader);
  const reader = (): Promise<LogReader> => LogReader.open((path) => place.objects.get(path), log.checkpoint);
  const service = { index, origin: log.checkpoint.origin, reader };
  server = await startServer(
    { route: (path) => lookupRoute(service, path), refuse: refuseAsJson },
    { host: "127.0.0.1", port: 0 },
  );
  return async () => {
    await server.stop();
    index.close();
    await log.close();
  };
});

async function get(path: string): Promise<{ status: number; document: unknown }> {
  const response = await fetch(`${server.url}v1/lookup/${path}`);
  return { status: response.status, document: await response.json() };
}

describe("GET /v1/lookup: who asks for a digest must be told who published it", () => {
  it("tells entries by leaf hash, register, signer and public key", async () => {
    const { vkey } = ACME;
    const keyid = `${vkey.name}+${vkey.keyId}`;
    const found = { index: 0, kind: "boot-measurement", release: "acme-guest 1", signers: [keyid] };
    expect(await get(formatHex(leafHash(leaf)))).toEqual({
      status: 200,
      document: {
        schema: "bootproof/log-lookup/1",
        origin: "log.test",
        size: 3,
        matches: [{ ...found, what: ["leaf hash"] }],
      },
    });
    const register = await get("ab".repeat(48));
    expect(register.document).toMatchObject({
      matches: [{ index: 0, what: ["nitro PCR0"] }, { index: 2 }],
    });
    expect((await get(encodeURIComponent(keyid))).document).toMatchObject({
      matches: [{ ...found, what: ["signer (claimed)"] }, { index: 2 }],
    });
    expect((await get(encodeURIComponent(formatVkey(vkey)))).document).toMatchObject({
      matches: [{ ...found, what: ["signer (signature verified)"] }, { index: 2 }],
    });
    expect((await get("0".repeat(64))).document).toMatchObject({ matches: [] });
  });

  it("tells page by page", async () => {
    const first = await get(`${"ab".repeat(48)}?limit=1`);
    expect(first.document).toMatchObject({ matches: [{ index: 0 }], next: 2 });
    const second = await get(`${"ab".repeat(48)}?limit=1&from=2`);
    expect(second.document).toMatchObject({ matches: [{ index: 2 }] });
    expect(second.document).not.toHaveProperty("next");
  });

  it.each([
    "",
    "abc",
    "%",
    "%ff",
    "..",
    `${"a".repeat(64)}/x`,
    `${"a".repeat(64)}?limit=1001`,
    `${"a".repeat(64)}?limit=-1`,
    `${"a".repeat(64)}?from=01`,
    `${"a".repeat(64)}?form=1`,
    `${"a".repeat(64)}?from=1&from=2`,
    "x".repeat(8000),
    `name+00000000+${"A".repeat(100)}`,
  ])("refuses %j", async (path) => {
    const { status, document } = await get(path === ".." ? "%2e%2e%2f" : path);
    expect(status).toBe(400);
    expect(document).toMatchObject({ error: { code: "BP-SERVE-004" } });
  });
});
