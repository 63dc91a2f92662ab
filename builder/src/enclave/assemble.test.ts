import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEif, signatureInput, type EifSource } from "@bootproof/boot/eif";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { DirectoryBlobs, Refs } from "@bootproof/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listRememberedBlobs } from "../action-cache.ts";
import { buildRecipe, type BuildEvent, type BuildResult } from "../build.ts";
import { lockRecipe } from "../lock-recipe.ts";
import { loadLockedRecipe } from "../locked-recipe.ts";
import { writeLock } from "../recipe-files.ts";
import type { BuildStore } from "../toolchain-root.ts";
import { buildTwice } from "../twice.ts";
import { assembleTwice } from "./assemble-twice.ts";
import { pcr0Of } from "./sign-image.ts";

/** An image of nothing but its own parts: no component, no sandbox. */
const RECIPE = `name: app
version: "1"
cmdline: panic=30
outputs:
  app.eif:
    kind: eif
    eif:
      kernel: {file: kernel}
      ramdisks: [{file: init.cpio}, {folder: rootfs, cmd: [/app, --now], env: {A: b}}]
`;

let folder: string;
let store: BuildStore;
let events: BuildEvent[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bootproof-assemble-"));
  const path = join(folder, "store");
  store = { path, blobs: await DirectoryBlobs.open(path), refs: await Refs.open(path) };
  await mkdir(join(folder, "rootfs"));
  await writeFile(join(folder, "kernel"), "a kernel");
  await writeFile(join(folder, "init.cpio"), "init");
  await writeFile(join(folder, "rootfs/app"), "#!", { mode: 0o755 });
  await lock(RECIPE);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const recipe = (): string => join(folder, "app.recipe.yaml");

async function lock(text: string): Promise<void> {
  await writeFile(recipe(), text);
  const options = { store: store.path, env: {}, mirrors: [], aptRoot: null };
  for (const made of await lockRecipe(recipe(), options)) await writeLock(made.path, made.lock);
}

async function build(options: { noCache?: boolean } = {}): Promise<BuildResult> {
  events = [];
  const inputs = { env: {}, mirrors: [], aptRoot: null, offline: true };
  return buildRecipe(await loadLockedRecipe(recipe()), {
    ...options,
    store,
    inputs,
    onEvent: (event) => events.push(event),
  });
}

/** The steps of making the image; bringing inputs happens each time. */
const steps = (): (string | undefined)[] =>
  events.filter(({ component, state }) => component !== "" && state === "done").map(({ step }) => step);

const sourceOf = (image: Uint8Array): EifSource => ({
  name: "app.eif",
  size: image.length,
  read: (offset, length) => Promise.resolve(image.subarray(offset, offset + length)),
});

async function overwrite(sha256: string): Promise<void> {
  await chmod(store.blobs.path(sha256), 0o644);
  await writeFile(store.blobs.path(sha256), "other bytes");
}

describe("assembling an enclave image", () => {
  it("makes nothing again that is there, and says that it was cached", async () => {
    const first = await build();
    expect(steps()).toEqual(["ramdisk 2: rootfs", "assemble", undefined]);
    const second = await build();
    expect(steps()).toEqual([]);
    expect(second.assemblies[0]?.cached).toBe(true);
    // What is in no format of a kernel is said of it each time.
    expect(second.assemblies[0]?.findings.map(({ code }) => code)).toContain("BP-EIF-027");
    expect(second.outputs).toEqual(first.outputs);
    expect(await listRememberedBlobs(store.refs)).toContain(first.outputs["app.eif"]?.sha256);
  });

  it("keeps the ramdisk when only the command line has changed", async () => {
    const first = await build();
    await lock(RECIPE.replace("panic=30", "panic=31"));
    const second = await build();
    expect(steps()).toEqual(["assemble", undefined]);
    expect(second.outputs["app.eif"]?.sha256).not.toBe(first.outputs["app.eif"]?.sha256);
  });

  it("makes everything again when asked to, and the same bytes", async () => {
    const first = await build();
    const second = await build({ noCache: true });
    expect(steps()).toEqual(["ramdisk 2: rootfs", "assemble", undefined]);
    expect(second.outputs).toEqual(first.outputs);
  });

  it("makes again what has rotted in the store", async () => {
    const first = await build();
    await overwrite(first.outputs["app.eif"]?.sha256 ?? "");
    const second = await build();
    expect(steps()).toEqual(["assemble", undefined]);
    expect(second.outputs).toEqual(first.outputs);
  });

  it("puts no rotten part into an image", async () => {
    const first = await build();
    const source = first.recipe.lock.lock.sources.find(({ name }) => name === "rootfs");
    await overwrite(source?.sha256 ?? "");
    await expect(build({ noCache: true })).rejects.toMatchObject({ code: "BP-INPUT-007" });
  });

  it.each(["kernel", "init.cpio", "rootfs/app"])(
    "refuses %s when it was edited since it was locked",
    async (name) => {
      await build();
      await writeFile(join(folder, name), "edited");
      await expect(build()).rejects.toMatchObject({ code: "BP-INPUT-002" });
    },
  );

  it("tells of a folder that cannot become a ramdisk by the name that the recipe gives it", async () => {
    await lock(RECIPE.replace("cmd: [/app", "user: nobody, cmd: [/app"));
    await expect(build()).rejects.toMatchObject({
      code: "BP-IMAGE-018",
      message: expect.stringMatching(/^rootfs: /) as string,
    });
  });
});

describe("a part at a URL", () => {
  let server: Server;
  let url: string;
  beforeEach(async () => {
    server = createServer((_, response) => response.end("a kernel"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bzImage`;
  });
  afterEach(() => {
    server.close();
  });
  const recipeOf = (hash: string): string =>
    RECIPE.replace("{file: kernel}", `{url: "${url}", sha256: "${hash}"}`);

  it("is the same part as the file, and is asked for once", async () => {
    const beside = await build();
    await lock(recipeOf(formatHex(sha256(utf8("a kernel")))));
    server.close();
    server.closeAllConnections();
    expect((await build()).outputs).toEqual(beside.outputs);
  });

  it("is refused with another hash than the recipe gives", async () => {
    await expect(lock(recipeOf("ab".repeat(32)))).rejects.toMatchObject({ code: "BP-INPUT-002" });
  });
});

describe("a signature that was made elsewhere", () => {
  const KEYS = new URL("../../../boot/vectors/eif/", import.meta.url);
  const signedRecipe = `${RECIPE}      signature: {certificate: es384.pem, file: app.sig}\n`;

  /** Signs the unsigned image's PCR0 as an HSM would, with OpenSSL. */
  async function signWithOpenssl(): Promise<void> {
    const { assemblies } = await build();
    const { order, blob } = assemblies[0]!;
    const image = await readFile(store.blobs.path(blob.sha256));
    const { layout } = await readEif(sourceOf(image));
    const sections = layout!.sections.map(({ type, offset, size }) => ({
      type,
      bytes: image.subarray(offset, offset + size),
    }));
    expect(order.signature).toBeNull();
    await writeFile(join(folder, "payload"), signatureInput(await pcr0Of(sections), "ES384"));
    const key = fileURLToPath(new URL("es384.TEST-ONLY.key", KEYS));
    execFileSync("openssl", [
      "dgst",
      "-sha384",
      "-sign",
      key,
      "-out",
      join(folder, "app.sig"),
      join(folder, "payload"),
    ]);
    await copyFile(fileURLToPath(new URL("es384.pem", KEYS)), join(folder, "es384.pem"));
  }

  it("makes the signed image, which anybody can build again without the key", async () => {
    await signWithOpenssl();
    await lock(signedRecipe);
    const first = await build();
    const image = await readFile(store.blobs.path(first.outputs["app.eif"]?.sha256 ?? ""));
    const { layout, parsedSignature, findings } = await readEif(sourceOf(image));
    expect(layout?.sections.at(-1)?.type).toBe("signature");
    expect(parsedSignature?.algorithm).toBe("ES384");
    expect(findings.filter(({ severity }) => severity !== "notice")).toEqual([]);
    expect((await build({ noCache: true })).outputs).toEqual(first.outputs);
  });

  it("is refused when the image has changed since: its PCR8 would vouch for another", async () => {
    await signWithOpenssl();
    await lock(signedRecipe.replace("panic=30", "panic=31"));
    await expect(build()).rejects.toMatchObject({ code: "BP-ENCLAVE-004" });
  });

  it("is refused when it is no signature", async () => {
    await signWithOpenssl();
    await writeFile(join(folder, "app.sig"), "no signature");
    await lock(signedRecipe);
    await expect(build()).rejects.toMatchObject({ code: "BP-ENCLAVE-004" });
  });
});

describe("assembling twice", () => {
  it("is IDENTICAL in another process with everything varied", async () => {
    const inputs = { env: {}, mirrors: [], aptRoot: null };
    const { verdict, components } = await buildTwice(await loadLockedRecipe(recipe()), { store, inputs });
    expect(verdict).toBe("IDENTICAL");
    expect(components.map(({ component, comparison }) => [component, comparison.artifacts[0]?.name])).toEqual(
      [["", "app.eif"]],
    );
    expect(components[0]?.variations.map(({ what }) => what)).toContain("time zone");
  });

  it("would show where the second differs", async () => {
    const { assemblies } = await build();
    const order = assemblies[0]!.order;
    const first = await store.blobs.put(new TextEncoder().encode(".eif\x00\x04 and something else"));
    const { comparison } = await assembleTwice(order, { store, name: "app.eif", first });
    expect(comparison).toMatchObject({ verdict: "DIVERGED", artifacts: [{ difference: { offset: 6 } }] });
  });

  it("fails with the refusal of the second run", async () => {
    const { assemblies } = await build();
    const { order, blob } = assemblies[0]!;
    await store.blobs.delete(order.kernel.blob.sha256);
    await expect(assembleTwice(order, { store, name: "app.eif", first: blob })).rejects.toMatchObject({
      code: "BP-INPUT-006",
    });
  });
});
