import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readAptMirrors } from "./apt-sources.ts";
import { findMirrors } from "./mirrors.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bootproof-apt-"));
  await mkdir(join(root, "sources.list.d"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function aptSays(files: Readonly<Record<string, string | Uint8Array>>): Promise<readonly string[]> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  return readAptMirrors(root);
}

it("one-line and deb822 sources are read, options stripped, each archive once", async () => {
  const found = await aptSays({
    "sources.list": `# deb http://commented.example/debian trixie main
deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian/ trixie main
deb-src http://a.example/debian trixie main
  deb https://b.example/debian sid main contrib
`,
    "sources.list.d/debian.sources": `# ours
Types: deb
URIs: http://c.example/debian
  http://d.example/debian/
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: trixie
Enabled: no`,
  });
  expect(found).toEqual([
    "http://a.example/debian",
    "https://b.example/debian",
    "http://c.example/debian",
    "http://d.example/debian",
  ]);
});

it("what cannot have Debian's pool is left out", async () => {
  const found = await aptSays({
    "sources.list": `deb cdrom:[Debian] trixie main
deb file:/srv/debian trixie main
deb http://security.example/debian-security trixie-security main
deb http://flat.example/repo ./
deb http://flat.example/repo /
`,
    "sources.list.d/old.list.save": "deb http://saved.example/debian trixie main\n",
    "sources.list.d/x.sources.disabled": "Types: deb\nURIs: http://disabled.example/debian\nSuites: trixie\n",
  });
  expect(found).toEqual([]);
});

it("a file that cannot be read, or makes no sense, does not hide the others", async () => {
  await mkdir(join(root, "sources.list.d/folder.list"));
  const found = await aptSays({
    "sources.list.d/a.sources": "no colon here\n",
    "sources.list.d/b.list": Uint8Array.of(0xff, 0xfe, 0x0a),
    "sources.list.d/c.list": "deb http://c.example/debian trixie main\n",
  });
  expect(found).toEqual(["http://c.example/debian"]);
  expect(await readAptMirrors(join(root, "none"))).toEqual([]);
});

it("vendored places come first, then --mirror, the environment and apt, none twice", async () => {
  await aptSays({
    "sources.list": "deb http://apt.example/debian trixie main\ndeb http://env.example/debian trixie main\n",
  });
  const found = await findMirrors({
    from: ["./vendored", "https://materials.example/out/"],
    mirrors: ["http://flag.example/debian/"],
    env: { BOOTPROOF_DEBIAN_MIRROR: " http://env.example/debian  http://env2.example/debian " },
    aptRoot: root,
  });
  expect(found).toEqual([
    { kind: "folder", path: "./vendored" },
    { kind: "vendored", url: "https://materials.example/out" },
    { kind: "archive", url: "http://flag.example/debian" },
    { kind: "archive", url: "http://env.example/debian" },
    { kind: "archive", url: "http://env2.example/debian" },
    { kind: "archive", url: "http://apt.example/debian" },
  ]);
});

it("apt's configuration can be left aside", async () => {
  await aptSays({ "sources.list": "deb http://apt.example/debian trixie main\n" });
  expect(await findMirrors({ aptRoot: null })).toEqual([]);
});
