import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sha256 } from "@bootproof/bytes";
import { ed25519Signer, formatCheckpoint, formatLogEvidence, signNote } from "@bootproof/log";
import { formatFirmwareReference, measureFirmware } from "@bootproof/measure/snp";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { createLog } from "../places/log-place.ts";
import { logRelease } from "../releasing/log-release.ts";
import { openStoreAt, publishGuest, signer } from "../releasing/published.testing.ts";
import { run } from "../run.testing.ts";
import { ROOT, scratchFolder } from "../scratch.testing.ts";

describe("inspect", () => {
  let folder: string;
  const samples = new Map<string, Buffer>();

  beforeAll(async () => {
    folder = await scratchFolder();
    const published = await publishGuest(
      await openStoreAt(join(folder, "store")),
      signer("example.org/publisher"),
    );
    const { log } = await createLog(join(folder, "log"), { origin: "example.org/log" });
    const { bundle } = await logRelease(log, published.signed);
    await log.close();
    const read = (path: string): Promise<Buffer> => readFile(join(ROOT, path));
    samples.set("tlog-proof", Buffer.from(bundle));
    samples.set("envelope", Buffer.from(published.signed.measurement));
    samples.set("checkpoint", await readFile(join(folder, "log/checkpoint")));
    samples.set("vkey", await readFile(join(folder, "log/log.vkey")));
    samples.set("private-key", await readFile(join(folder, "log.private/log.key")));
    samples.set("ovmf", await read("measure/vectors/ovmf_AmdSev_suffix.bin"));
    samples.set("igvm", await read("measure/vectors/igvm/igvm-01-basic.igvm"));
    samples.set("recipe", await read("boot/recipes/linux-snp.recipe.yaml"));
    samples.set("lock", await read("boot/recipes/snp-guest.lock.yaml"));
    samples.set("initrd", archive("init", "#!/bin/sh\n"));
    samples.set("log-evidence", await evidence());
    const [block, auth] = await idBlockAndAuth();
    samples.set("id-block", block);
    samples.set("id-auth", auth);
    samples.set("measurement", await measurement());
    const { reference } = measureFirmware(new Uint8Array(samples.get("ovmf") ?? []));
    samples.set("firmware-reference", Buffer.from(formatFirmwareReference(reference)));
    samples.set("answer", Buffer.from((await run(["explain", "BP-LINT-018", "--json"])).stdout));
    samples.set("trace", trace(await measurement("--trace")));
  });

  async function inspect(bytes: Uint8Array): Promise<Awaited<ReturnType<typeof run>>> {
    const file = join(folder, "sample");
    await writeFile(file, bytes);
    return run(["inspect", file, "--json"]);
  }

  it("knows each kind by its content, whatever its name", async () => {
    for (const [kind, bytes] of samples) {
      const { exit, stdout } = await inspect(bytes);
      expect({ exit, kind: (JSON.parse(stdout) as { kind?: string }).kind }).toEqual({ exit: 0, kind });
    }
  });

  it("lists what machines will report, from a bundle alone", async () => {
    const file = join(folder, "guest.tlog-proof");
    await writeFile(file, samples.get("tlog-proof") ?? "");
    const { stdout } = await run(["inspect", file]);
    expect(stdout).toMatch(/snp qemu EPYC-v4 x 8 launchDigest +[0-9a-f]{96}/);
    expect(stdout).toContain("not verified");
  });

  it("answers any bytes with a kind or with 65", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect([0, 65]).toContain((await inspect(bytes)).exit);
      }),
      { numRuns: 100 },
    );
  });

  it("answers every changed byte of a valid file with 0, 1, 65 or 78, and never with a bug", async () => {
    const change = fc.record({
      kind: fc.constantFrom(...samples.keys()),
      at: fc.nat(),
      mask: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ kind, at, mask }) => {
        const bytes = Buffer.from(samples.get(kind) ?? []);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ mask;
        const { exit, stdout } = await inspect(bytes);
        expect([0, 1, 65, 78], `${kind} at ${String(place)}: ${stdout}`).toContain(exit);
      }),
      { numRuns: 300 },
    );
  });

  it("says what each VMM would do with firmware, and how sure it is", async () => {
    const { exit, stdout } = await run([
      "inspect",
      "firmware",
      join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin"),
    ]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^# +GUEST ADDRESS +SIZE +SEV SECTION +QEMU +EC2 +GCE$/m);
    expect(stdout).toMatch(/^3 +0x80e000 +0x1000 +CPUID +CPUID +CPUID, last +CPUID$/m);
    expect(stdout).toMatch(/^QEMU \/ KVM, SNP +launches as flash only \(BP-LINT-042\): 1 NORMAL page/m);
    expect(stdout).toMatch(/^EC2, SNP +could not decide: BP-LINT-033, BP-LINT-032$/m);
    expect(stdout).toMatch(/^kernel hashes, SNP +usable: the table goes to 0x810c00/m);
  });

  it("ends with 1 for firmware that QEMU cannot launch, with every reason and a page for each", async () => {
    const image = Buffer.from(samples.get("ovmf") ?? []);
    image.fill(0, 4096 - 0x554 + 16 + 4, 4096 - 0x554 + 16 + 8); // the first section's size
    image.fill(0, 0xfb8, 0xfbc); // the AP reset address
    const { exit, stdout } = await inspect(image);
    const { lint } = JSON.parse(stdout) as { lint: { findings: { code: string; severity: string }[] } };
    const grave = lint.findings.filter(({ severity }) => severity === "cannot launch");
    expect({ exit, grave: grave.map(({ code }) => code) }).toEqual({
      exit: 1,
      grave: ["BP-LINT-015", "BP-LINT-018"],
    });
    for (const { code } of lint.findings) {
      const page = await run(["explain", code]);
      expect(page.exit).toBe(0);
      expect(page.stdout).toMatch(new RegExp(`^${code}: (cannot launch|differs|note): `));
    }
  });

  it("takes bytes without a table as firmware when asked to, and then says that they are none", async () => {
    const file = join(folder, "zeros");
    await writeFile(file, Buffer.alloc(65_536));
    expect((await run(["inspect", file])).exit).toBe(65);
    const { exit, stdout } = await run(["inspect", "firmware", file]);
    expect(exit).toBe(1);
    expect(stdout).toContain("cannot launch  BP-LINT-003");
    expect(stdout).toMatch(/^QEMU 9.1\+ \/ KVM, SNP +does not launch: BP-LINT-003, BP-LINT-014$/m);
  });

  it("refuses a file of another kind than the one asked for, and says which it is", async () => {
    const file = join(folder, "some.cpio");
    await writeFile(file, samples.get("initrd") ?? "");
    for (const kind of ["firmware", "kernel", "bundle"]) {
      const { exit, stdout } = await run(["inspect", kind, file, "--json"]);
      const { error } = JSON.parse(stdout) as { error: { code: string; found: string } };
      expect({ kind, exit, code: error.code, found: error.found }).toEqual({
        kind,
        exit: 65,
        code: "BP-FILE-008",
        found: "an initrd (cpio)",
      });
    }
    expect((await run(["inspect", "initrd", file])).exit).toBe(0);
    expect((await run(["inspect", "firmwear", file])).exit).toBe(64);
  });

  it("shows whom an ID auth names, and that nothing is verified of it", async () => {
    const file = join(folder, "guest.id-auth");
    await writeFile(file, samples.get("id-auth") ?? "");
    const { stdout } = await run(["inspect", file]);
    expect(stdout).toMatch(/^ID key digest +[0-9a-f]{96}$/m);
    expect(stdout).toContain("not verified");
  });

  it("replays a trace, and refuses one that does not end where it says", async () => {
    const sample = (samples.get("trace") ?? Buffer.alloc(0)).toString();
    expect((await inspect(Buffer.from(sample))).exit).toBe(0);
    const digest = /"launchDigest": ?"([0-9a-f]{96})"/.exec(sample)?.[1] ?? "";
    const { exit } = await inspect(Buffer.from(sample.replace(digest, digest.split("").reverse().join(""))));
    expect(exit).toBe(65);
  });

  it("takes any 96 bytes as an ID block when asked to, and no other number", async () => {
    const file = join(folder, "odd.bin");
    await writeFile(file, Buffer.alloc(96));
    expect((await run(["inspect", file])).exit).toBe(65);
    expect((await run(["inspect", "id-block", file])).exit).toBe(0);
    await writeFile(file, Buffer.alloc(95));
    expect((await run(["inspect", "id-block", file])).exit).toBe(65);
  });

  it("shows a bundle whose registers it cannot derive, and says so", async () => {
    const text = (samples.get("tlog-proof") ?? Buffer.alloc(0)).toString();
    const edit = (base64: string, change: (plain: string) => string): string =>
      Buffer.from(change(Buffer.from(base64, "base64").toString())).toString("base64");
    const edited = text.replace(/(?<=^extra ).*$/m, (extra) =>
      edit(extra, (leaf) =>
        leaf.replace(/(?<="payload":")[^"]+/, (payload) =>
          edit(payload, (statement) => statement.replaceAll("EPYC-Genoa", "EPYC-Futur")),
        ),
      ),
    );
    expect(edited).not.toBe(text);
    const file = join(folder, "future.tlog-proof");
    await writeFile(file, edited);
    const { exit, stdout } = await run(["inspect", file]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/cannot be derived here: unknown CPU model \(EPYC-Futur\)/);
  });

  it("shows no control character of a hostile file", async () => {
    const file = join(folder, "hostile.cpio");
    await writeFile(file, archive("\u001b[2J\u001b]0;owned\u0007", "x"));
    const { exit, stdout } = await run(["inspect", file]);
    expect(exit).toBe(0);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("\\u{1b}[2J");
  });
});

/** An ID block as VMMs take it, in base64, and an ID auth with line breaks in it. */
async function idBlockAndAuth(): Promise<[Buffer, Buffer]> {
  const text = await readFile(join(ROOT, "measure/vectors/id-block.json"), "utf8");
  const [vector] = (JSON.parse(text) as { vectors: { idBlock: string; idAuth: [number, string][] }[] })
    .vectors;
  const auth = Buffer.alloc(4096);
  for (const [offset, hex] of vector?.idAuth ?? []) auth.set(Buffer.from(hex, "hex"), offset);
  return [Buffer.from(vector?.idBlock ?? ""), Buffer.from(auth.toString("base64").replace(/.{76}/g, "$&\n"))];
}

async function measurement(...more: string[]): Promise<Buffer> {
  const firmware = join(ROOT, "measure/vectors/ovmf_AmdSev_suffix.bin");
  const shape = ["--vcpus", "2", "--vcpu-type", "EPYC-v4", "--json"];
  return Buffer.from((await run(["measure", "snp", "--ovmf", firmware, ...shape, ...more])).stdout);
}

/** A trace alone: what a measurement with events says, without the rest. */
function trace(from: Buffer): Buffer {
  const { platform, registers, events } = JSON.parse(from.toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ schema: "bootproof/trace/1", platform, registers, events }));
}

/** Two trees of one size that one log signed. */
async function evidence(): Promise<Buffer> {
  const log = ed25519Signer("example.org/forked", new Uint8Array(32));
  const note = (at: number): Promise<Uint8Array> => {
    const root = sha256(Uint8Array.of(at));
    return signNote(formatCheckpoint({ origin: log.name, size: 7n, root }), [log]);
  };
  const [seen, shown] = [await note(1), await note(2)];
  return Buffer.from(formatLogEvidence({ vkey: log.vkey, seen, shown, proof: [] }));
}

/** A newc archive with one file. */
function archive(name: string, data: string): Buffer {
  const entry = (entryName: string, content: string, mode: number): Buffer => {
    const [named, body] = [Buffer.from(`${entryName}\0`), Buffer.from(content)];
    const fields = [1, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, named.length, 0];
    const header = Buffer.from(
      `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`,
    );
    const head = Buffer.concat([header, named]);
    return Buffer.concat([pad(head), pad(body)]);
  };
  return Buffer.concat([entry(name, data, 0o100755), entry("TRAILER!!!", "", 0)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
