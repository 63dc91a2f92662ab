import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parseRecipe } from "@bootproof/builder";
import { beforeEach, describe, expect, it } from "vitest";

import { run } from "../run.testing.ts";
import { scratchFolder } from "../scratch.testing.ts";

interface Initialised {
  readonly recipe: string;
  readonly next: readonly string[];
  readonly warnings?: readonly { code: string; message: string }[];
}

const MANIFEST = `version: v1
name: "My App"
target: "my-app:enclave"
sources:
  app: "registry.example/my-app:1.2"
  odyn: "odyn:dev"
signature: {certificate: cert.pem, key: key.pem}
ingress:
  - listen_port: 8001
  - {listen_port: 8443, tls: {key_file: k, cert_file: c}}
egress:
  proxy_port: 9000
  allow: ["*.example.com"]
  deny: ["10.0.0.0/8", "host"]
defaults: {cpu_count: 2, memory_mb: 4096}
kms_proxy: {listen_port: 9999}
api: {listen_port: 9001}
spire: {server_addr: "spire:8081", ca_cert: ca.pem, trust_domain: example.com, svid_dir: /svid}
`;

let folder: string;
beforeEach(async () => {
  folder = await scratchFolder();
});

async function init(...args: readonly string[]): Promise<Initialised> {
  const { exit, stdout, stderr } = await run(["init", ...args, "--json"]);
  if (exit !== 0) throw new Error(stdout + stderr);
  return JSON.parse(stdout) as Initialised;
}

describe("init --from enclaver.yaml", () => {
  it("writes a recipe that parses, of the same application under the same name", async () => {
    const manifest = join(folder, "enclaver.yaml");
    await writeFile(manifest, MANIFEST);
    await writeFile(join(folder, "app.tar"), "");
    const { recipe, next } = await init(
      join(folder, "app.recipe.yaml"),
      "--from",
      manifest,
      "--image",
      join(folder, "app.tar"),
    );
    const parsed = parseRecipe(await readFile(recipe, "utf8"), recipe);
    expect(parsed).toMatchObject({
      name: "app",
      platforms: [{ platform: "nitro" }],
      outputs: {
        "app.eif": {
          kind: "eif",
          from: {
            eif: {
              name: "My App",
              kernel: { component: "kernel", output: "bzImage" },
              ramdisks: [
                { component: "init", output: "init.cpio" },
                { kind: "image", from: { path: "app.tar" }, argv: "oci" },
              ],
            },
          },
        },
      },
    });
    expect(next[0]).toMatch(/lock .*app\.recipe\.yaml$/);
  });

  it("warns by name of everything that enclaver would have run or made", async () => {
    const manifest = join(folder, "enclaver.yaml");
    await writeFile(manifest, MANIFEST);
    const { warnings = [], next } = await init(join(folder, "app"), "--from", manifest);
    expect(warnings.map(({ code }) => code)).toEqual(
      ["101", "102", "103", "104", "105", "106", "107", "108", "109"].map((number) => `BP-ENCLAVE-${number}`),
    );
    const told = warnings.map(({ message }) => message).join("\n");
    for (const word of [
      "odyn:dev",
      "8001, 8443 with TLS",
      "1 allow and 2 deny",
      "9999",
      "9001",
      "spire:8081",
      "my-app:enclave",
      "cert.pem",
      "--cpu-count 2 --memory 4096",
    ])
      expect(told).toContain(word);
    expect(next[0]).toBe("docker save 'registry.example/my-app:1.2' --output app.image.tar");
  });

  it("warns of nothing that the manifest does not ask for", async () => {
    const manifest = join(folder, "enclaver.yaml");
    await writeFile(manifest, "version: v1\nname: a\ntarget: t\nsources: {app: i, wrapper: w}\n");
    const { warnings = [] } = await init(join(folder, "app"), "--from", manifest);
    expect(warnings.map(({ code }) => code)).toEqual(["BP-ENCLAVE-101", "BP-ENCLAVE-107"]);
  });

  it.each([
    [
      "an unknown key",
      MANIFEST.replace("kms_proxy", "kms_proxi"),
      /enclaver\.yaml:16:1: kms_proxi: unknown key; did you mean kms_proxy/,
    ],
    ["another version", MANIFEST.replace("v1", "v2"), /version: expected one of v1/],
    ["no application", MANIFEST.replace(/ {2}app: .*\n/, ""), /sources\.app: missing key/],
    ["a port out of range", MANIFEST.replace("9999", "99999"), /kms_proxy\.listen_port: expected a port/],
  ])("refuses a manifest with %s, at its place, and writes nothing", async (_, text, says) => {
    await writeFile(join(folder, "enclaver.yaml"), text);
    const { exit, stderr } = await run([
      "init",
      join(folder, "app"),
      "--from",
      join(folder, "enclaver.yaml"),
    ]);
    expect(exit).toBe(65);
    expect(stderr).toMatch(says);
    expect(await readdir(folder)).toEqual(["enclaver.yaml"]);
  });

  it("refuses an image that does not stand beside the recipe: no rebuilder would get it", async () => {
    await writeFile(join(folder, "enclaver.yaml"), MANIFEST);
    const args = [
      join(folder, "sub/app"),
      "--from",
      join(folder, "enclaver.yaml"),
      "--image",
      join(folder, "a.tar"),
    ];
    expect((await run(["init", ...args])).exit).toBe(64);
  });
});

describe("init --from nitro-cli's blobs", () => {
  const blobs = async (...without: readonly string[]): Promise<string> => {
    const from = join(folder, "blobs");
    await mkdir(from);
    for (const [name, text] of Object.entries({
      bzImage: "kernel",
      cmdline: "reboot=k panic=30\n",
      init: "init",
      "nsm.ko": "module",
      linuxkit: "tool",
    }))
      if (!without.includes(name)) await writeFile(join(from, name), text, { mode: 0o600 });
    return from;
  };

  it("takes kernel and trimmed command line as they are, and packs init and nsm.ko, saying what is not equal", async () => {
    const { recipe, warnings = [] } = await init(join(folder, "app"), "--from", await blobs());
    const parsed = parseRecipe(await readFile(recipe, "utf8"), recipe);
    expect(parsed).toMatchObject({
      components: {},
      cmdline: "reboot=k panic=30",
      outputs: {
        "app.eif": {
          from: {
            eif: {
              architecture: "x86_64",
              kernel: { kind: "file", path: "app.blobs/bzImage" },
              ramdisks: [
                { kind: "cpio", path: "app.blobs/bootstrap" },
                { kind: "image", from: { path: "app.image.tar" }, argv: "nitro-cli" },
              ],
            },
          },
        },
      },
    });
    const bootstrap = join(folder, "app.blobs/bootstrap");
    expect((await readdir(bootstrap)).sort()).toEqual(["dev", "init", "nsm.ko"]);
    expect((await stat(join(bootstrap, "init"))).mode & 0o777).toBe(0o755);
    expect(warnings.map(({ code }) => code)).toEqual(["BP-ENCLAVE-110"]);
    expect(warnings[0]?.message).toMatch(/PCR0, PCR1 and PCR2 are not those that nitro-cli prints/);
  });

  it("says what is missing in a folder of something else", async () => {
    const from = await blobs("bzImage", "init");
    const { exit, stderr } = await run(["init", join(folder, "app"), "--from", from]);
    expect(exit).toBe(65);
    expect(stderr).toMatch(/no bzImage or Image, no init/);
  });
});
