import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { PlatformAxes } from "@bootproof/builder";
import { hasAxes, type PlatformMeasurements } from "@bootproof/statement";
import { shapeValues } from "@bootproof/verify";
import { beforeAll, describe, expect, it } from "vitest";

import { imageBytes } from "../eif.testing.ts";
import { createLog } from "../places/log-place.ts";
import type { OpenStore } from "../places/store-place.ts";
import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";
import { loadArtifacts } from "./artifacts.ts";
import { logRelease, writeBundle } from "./log-release.ts";
import { signRelease } from "./make-release.ts";
import { collectMaterials } from "./materials.ts";
import { measureRelease } from "./measure-release.ts";
import { writePolicyFile } from "./policy-file.ts";
import { builtGuest, openStoreAt, signer } from "./published.testing.ts";

const NITRO: PlatformAxes = {
  platform: "nitro",
  vmm: undefined,
  profile: undefined,
  vcpus: [],
  cpu: [],
  guestFeatures: [],
  kernelHashes: undefined,
};
const image = async (name: string): Promise<Uint8Array> => new Uint8Array(await imageBytes(`${name}.eif`));

/** A signed image in which a word of the command line was changed afterwards, with a CRC that is right. */
async function resealed(): Promise<Uint8Array> {
  const bytes = await imageBytes("signed-es384.eif");
  bytes.write("panic=31", bytes.indexOf("panic=30"), "latin1");
  bytes.writeUInt32BE(crc32(bytes.subarray(548), crc32(bytes.subarray(0, 0x220))), 0x220);
  return new Uint8Array(bytes);
}

const PUBLISHER = signer("example.org/publisher");
// What AWS's reader prints of ok-2rd.eif.
const PCR0 =
  "b7eee595ee083386a45578120e146acf6ed7b5a3fdf6ea30f085d93aa3c7c624063b88863f4071a032df2d0d77ace892";

describe("a release of enclave images", () => {
  let folder: string;
  let store: OpenStore;
  let bundle: string;
  let policy: string;

  async function artifactsOf(names: Record<string, string | Uint8Array>) {
    const outputs = Object.entries(names).map(
      async ([output, name]) =>
        [
          output,
          {
            kind: "eif" as const,
            ...(await store.blobs.put(typeof name === "string" ? await image(name) : name)),
          },
        ] as const,
    );
    return loadArtifacts(store, Object.fromEntries(await Promise.all(outputs)));
  }

  const measured = async (names: Record<string, string | Uint8Array>, axes: Partial<PlatformAxes> = {}) =>
    measureRelease(await artifactsOf(names), [{ ...NITRO, ...axes }]);

  /** Verifies an image under a name of its own beside the release. */
  async function verified(name: string) {
    const file = join(folder, `${name}.eif`);
    await writeFile(file, await image(name));
    const { exit, stdout, stderr } = await run(["verify", bundle, file, "--policy", policy, "--json"]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; reason: string }[] };
    return { exit, stderr, reason: checks.find((check) => check.name.startsWith("artifact"))?.reason };
  }

  beforeAll(async () => {
    folder = await scratchFolder();
    store = await openStoreAt(join(folder, "store"));
    const built = await builtGuest(store);
    const artifacts = await artifactsOf({ "app.eif": "ok-2rd" });
    const measurements = await measureRelease(artifacts, [NITRO]);
    const materials = await collectMaterials(built.recipe);
    const signed = await signRelease({ built, artifacts, materials, measurements, signer: PUBLISHER });
    const { log, signer: logSigner } = await createLog(join(folder, "log"), { origin: "example.org/log" });
    const logged = await logRelease(log, signed);
    await log.close();
    bundle = join(folder, "enclave.tlog-proof");
    policy = join(folder, "enclave.policy.yaml");
    await writeBundle(bundle, logged.bundle, { logKey: logSigner.vkey });
    await writePolicyFile(policy, { release: "snp-guest", publisher: PUBLISHER.vkey, log: logSigner.vkey });
  });

  it("states PCRs and the section manifest, and nothing of registers that are zero", async () => {
    const [entry] = await measured({ "app.eif": "ok-2rd" });
    expect(entry).toMatchObject({
      platform: "nitro",
      shape: { architecture: "x86_64" },
      registers: { PCR0 },
    });
    expect(Object.keys((entry as { registers: object }).registers)).toEqual(["PCR0", "PCR1", "PCR2"]);
    if (entry === undefined || hasAxes(entry)) throw new Error("no entry of one shape");
    expect(entry.sections?.map(({ type, size }) => `${type} ${size}`)).toEqual([
      "kernel 3001",
      "cmdline 69",
      "metadata 233",
      "ramdisk 364",
      "ramdisk 628",
    ]);
  });

  it("has an entry for each image, PCR8 where it is signed", async () => {
    const entries = await measured({ "a.eif": "ok-aarch64", "b.eif": "signed-es384" });
    expect(entries.map((entry) => (entry as { shape: object }).shape)).toEqual([
      { architecture: "aarch64", image: "a.eif" },
      { architecture: "x86_64", image: "b.eif" },
    ]);
    expect(entries.map((entry) => "PCR8" in (entry as { registers: object }).registers)).toEqual([
      false,
      true,
    ]);
    expect(entries.flatMap(shapeValues)[0]).toMatchObject({ shape: "aarch64 a.eif", register: "PCR0" });
  });

  it("counts bytes that cross a boundary as another measurement, and other metadata as the same", async () => {
    const values = (entries: PlatformMeasurements[]) => entries.flatMap(shapeValues);
    const base = values(await measured({ "app.eif": "ok-2rd" }));
    expect(values(await measured({ "app.eif": "ok-metadata-last" }))).toEqual(base);
    const shifted = values(await measured({ "app.eif": "shift-kernel-cmdline" }));
    const differ = shifted.filter(({ value }, index) => value !== base[index]?.value);
    expect(differ.map(({ register }) => register)).toEqual(["section kernel", "section cmdline"]);
  });

  it.each([
    ["an ambiguous image", { "app.eif": "hidden-section-both-crc" }, {}, "BP-EIF-012"],
    ["a damaged one", { "app.eif": "bad-crc-body" }, {}, "BP-NITRO-005"],
    ["no image", {}, {}, "BP-RELEASE-001"],
    ["axes of virtual machines", { "app.eif": "ok-2rd" }, { vcpus: [1] }, "BP-RELEASE-001"],
  ])("refuses %s", async (_name, names, axes, code) => {
    await expect(measured(names as Record<string, string>, axes)).rejects.toMatchObject({ code });
  });

  it("refuses a signature that is of another image: no host starts it", async () => {
    await expect(measured({ "app.eif": await resealed() })).rejects.toMatchObject({ code: "BP-RELEASE-003" });
  });

  it("verifies the image that was published", async () => {
    expect(await verified("ok-2rd")).toMatchObject({
      exit: 0,
      reason: expect.stringContaining("matches app.eif") as string,
    });
  });

  it("calls other metadata MEASUREMENT-EQUAL, which is no yes", async () => {
    const { exit, reason } = await verified("ok-metadata-last");
    expect([exit, reason]).toEqual([2, expect.stringContaining("MEASUREMENT-EQUAL to app.eif")]);
  });

  it.each([
    ["shift-kernel-cmdline", "kernel: expected 3001 bytes"],
    ["shift-ramdisk0-ramdisk1", "ramdisk 0: expected 364 bytes"],
    ["cmdline-newline", "cmdline: expected 69 bytes, found 70"],
    ["ok-aarch64", "architecture: expected x86_64, found aarch64"],
    ["signed-es256", "PCR8: expected none: not signed"],
  ])("says no to %s, and where it differs", async (name, where) => {
    const { exit, reason } = await verified(name);
    expect([exit, reason]).toEqual([1, expect.stringContaining(where)]);
  });

  it("compares an image with two readings by its hash alone, and says why", async () => {
    const { exit, reason, stderr } = await verified("hidden-section");
    expect([exit, reason]).toEqual([1, expect.stringContaining("found sha256")]);
    expect(stderr).toContain("BP-EIF-012");
  });
});
