import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../browser/page.ts";
import { serveSite } from "../browser/site.ts";
import { ROOT } from "./command.ts";

interface Vector {
  readonly name: string;
  readonly want?: string;
  readonly blob?: string;
  readonly digests?: Readonly<Record<string, string>>;
}

async function wanted(file: string): Promise<Map<string, string | undefined>> {
  const text = await readFile(path.join(ROOT, "measure/vectors", file), "utf8");
  const { vectors } = JSON.parse(text) as { vectors: Vector[] };
  return new Map(
    vectors.flatMap(({ name, want, blob, digests }) =>
      digests === undefined
        ? [[name, file === "id-block.json" ? "yes, no" : (want ?? blob)] as const]
        : Object.entries(digests).map(([reading, digest]) => [`${name} ${reading}`, digest] as const),
    ),
  );
}

describe("in a browser", () => {
  let site: { readonly url: string; readonly server: Server };
  let browser: Browser;
  const loaded: string[] = [];
  const failures: string[] = [];

  beforeAll(async () => {
    site = await serveSite();
    // Debian's Chromium; as root it has no sandbox of its own.
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    site.server.close();
  });

  it("computes every launch digest and judges every identity as Node does, from the same sources", async () => {
    const page = await browser.newPage();
    page.on("response", (response) => loaded.push(new URL(response.url()).pathname));
    page.on("pageerror", (error) => failures.push(error.message));
    page.on("requestfailed", (request) => failures.push(request.url()));
    await page.goto(site.url);
    await page.waitForFunction(() => "report" in globalThis, undefined, { timeout: 20_000 });
    const report: Report = await page.evaluate(() => globalThis.report);
    expect(failures).toEqual([]);
    const counts = new Map<string, number>();
    for (const file of new Set(report.computed.map((row) => row.file))) {
      const want = await wanted(file);
      const rows = report.computed.filter((row) => row.file === file);
      for (const { name, value } of rows) expect(value, `${file}: ${name}`).toBe(want.get(name));
      counts.set(file, rows.length);
    }
    const ran = [...counts].map(([file, count]) => `${count} of ${file}`).join(", ");
    console.log(`Chromium ${browser.version()}: ${ran}, in ${(report.milliseconds / 1000).toFixed(1)} s`);
    expect(counts.get("launch-digests.json")).toBeGreaterThan(800);
    expect(counts.get("sev-digests.json")).toBeGreaterThan(0);
    expect(counts.get("launch-measure.json")).toBe(5);
    expect(counts.get("igvm.json")).toBe(44);
    expect(counts.get("id-block.json")).toBe(6);
  });

  it("makes and checks a witness's ML-DSA-44 cosignature as others do", async () => {
    const read = async (file: string): Promise<string> =>
      readFile(path.join(ROOT, "log/vectors", file), "utf8");
    const page = await browser.newPage();
    await page.goto(site.url);
    // As text, for what is here is transformed for Node.
    const answer: unknown = await page.evaluate(`(async () => {
      const log = await import("@bootproof/log");
      const { parseHex, utf8 } = await import("@bootproof/bytes");
      const vector = ${await read("cosignature/mldsa44.json")};
      const key = ${await read("keys.json")}.mldsa44_witness;
      const note = log.parseNote(utf8(vector.checkpoint));
      const signer = log.mlDsa44Signer(key.name, parseHex(key.seed_hex, "seed"));
      const line = await log.cosign(note.unverifiedText, signer, BigInt(vector.timestamp));
      const verifiers = log.noteVerifiers([vector.vkey]);
      const forged = { ...line, signature: line.signature.with(99, 1 ^ line.signature[99]) };
      const count = (signature) =>
        log.checkSignatures({ ...note, signatures: [signature] }, verifiers).verified.length;
      return [
        signer.vkey === vector.vkey,
        log.formatSignatureLine(line).trim() === vector.signature_line.trim(),
        log.checkSignatures(note, verifiers).verified.length,
        count(line),
        count(forged),
      ];
    })()`);
    expect(answer).toEqual([true, true, 1, 1, 0]);
  });

  it("hashes with the library for browsers and loads nothing of Node's", () => {
    expect(loaded).toContain("/bytes/src/hash-noble.ts");
    expect(loaded).not.toContain("/bytes/src/hash-node.ts");
  });
});
