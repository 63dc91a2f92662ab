import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readCpio } from "@bootproof/boot";
import { IMAGE_LIMITS, type RamdiskOptions } from "./image.ts";
import {
  type Entry,
  filesTar,
  type ImageInput,
  layoutFiles,
  listing,
  ramdiskBytes,
  savedFiles,
  scratch,
  tar,
  writeBytes,
  writeFiles,
} from "./image.testing.ts";
import { openFolder } from "./open-folder.ts";
import { openImage } from "./open-image.ts";
import { imageRamdisk, planRamdisk } from "./ramdisk.ts";

const code = (expected: string): Error =>
  expect.objectContaining({ name: "BuildError", code: expected }) as Error;
const PASSWD = "root:x:0:0::/root:/bin/sh\n# comment\napp:x:1000:1001::/:/bin/sh\nnumber:x:7:8::/:\n";
const GROUP = "root:x:0:\napp:x:1001:\naudio:x:29:app,other\n";
const FILES: readonly Entry[] = [
  { name: "bin/app", content: "app", mode: 0o755 },
  { name: "etc/passwd", content: PASSWD },
  { name: "etc/group", content: GROUP },
  { name: "run", type: "2", link: "var/run" },
];

/** The files beside the root folder that the guest's init reads. */
async function settings(
  config: Record<string, unknown>,
  options: RamdiskOptions = {},
): Promise<{ files: Record<string, string>; findings: string[]; lines: string[] }> {
  const image: ImageInput = { layers: [tar(FILES)], config };
  const ramdisk = await planRamdisk(await openImage(await writeBytes(filesTar(savedFiles(image)))), options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of ramdisk.chunks()) chunks.push(chunk);
  await ramdisk.close();
  const bytes = Buffer.concat(chunks);
  const files: Record<string, string> = {};
  for (const { name, data } of readCpio(bytes).entries)
    if (!name.startsWith("rootfs")) files[name] = new TextDecoder().decode(data);
  return { files, findings: ramdisk.findings.map((finding) => finding.code), lines: listing(bytes) };
}

describe("what an enclave runs is what the image says", () => {
  it("runs ENTRYPOINT with CMD behind it, and says that nitro-cli would not", async () => {
    const config = { Entrypoint: ["/bin/app", ""], Cmd: ["--serve", "a b"], Env: ["PATH=/bin", "EMPTY="] };
    expect(await settings(config)).toMatchObject({
      files: { cmd: "/bin/app\n\n--serve\na b\n", env: "PATH=/bin\nEMPTY=\n" },
      findings: ["BP-IMAGE-103"],
    });
    expect(await settings(config, { argv: "nitro-cli" })).toMatchObject({
      files: { cmd: "--serve\na b\n" },
      findings: [],
    });
    expect((await settings({ ...config, Cmd: null })).files["cmd"]).toBe("/bin/app\n\n");
    expect((await settings(config, { cmd: ["x"], env: [] })).files).toEqual({ cmd: "x\n", env: "" });
  });

  it("puts the files below rootfs, with the folders that init mounts on and none of its own kind replaced", async () => {
    expect((await settings({})).lines).toEqual([
      'cmd file 644 0:0 "/bin/app\\n"',
      'env file 644 0:0 ""',
      "rootfs directory 755 0:0",
      "rootfs/bin directory 755 0:0",
      'rootfs/bin/app file 755 0:0 "app"',
      "rootfs/dev directory 755 0:0",
      "rootfs/etc directory 755 0:0",
      `rootfs/etc/group file 644 0:0 ${JSON.stringify(GROUP.slice(0, 40))}`,
      `rootfs/etc/passwd file 644 0:0 ${JSON.stringify(PASSWD.slice(0, 40))}`,
      "rootfs/proc directory 755 0:0",
      'rootfs/run symlink 777 0:0 "var/run"',
      "rootfs/sys directory 755 0:0",
      "rootfs/tmp directory 755 0:0",
      "rootfs/var directory 755 0:0",
    ]);
  });

  it.each([
    ["", undefined, []],
    ["0:0", undefined, []],
    ["root", undefined, []],
    ["app", "1000:1001\n", ["BP-IMAGE-104"]],
    ["1000", "1000:1001\n", ["BP-IMAGE-104"]],
    ["app:audio", "1000:29\n", []],
    ["app:5", "1000:5\n", []],
    ["4242", "4242:0\n", []],
    ["4242:4343", "4242:4343\n", []],
    ["number", "7:8\n", []],
  ])("runs as user %j", async (User, expected, findings) => {
    expect(await settings({ User })).toMatchObject({ findings });
    expect((await settings({ User })).files["user"]).toBe(expected);
  });

  it.each([
    ["a user that is not there", { User: "nobody" }, "BP-IMAGE-018"],
    ["a group that is not there", { User: "app:nobody" }, "BP-IMAGE-018"],
    ["three parts of a user", { User: "a:b:c" }, "BP-IMAGE-017"],
    ["a line break in an argument", { Cmd: ["a\nb"] }, "BP-IMAGE-017"],
    ["a zero byte in a variable", { Env: ["A=\0"] }, "BP-IMAGE-017"],
    ["a variable without value", { Env: ["A"] }, "BP-IMAGE-017"],
    ["no program", { Cmd: [], Entrypoint: [] }, "BP-IMAGE-016"],
    ["a working folder below a file", { WorkingDir: "/bin/app/x" }, "BP-IMAGE-011"],
    ["a working folder with a line break", { WorkingDir: "/a\nb" }, "BP-IMAGE-017"],
  ])("refuses %s", async (_what, config, expected) => {
    await expect(settings(config)).rejects.toThrow(code(expected));
  });

  it("makes the working folder where the image lacks it", async () => {
    const { files, lines } = await settings({ WorkingDir: "/srv//app/../data/" });
    expect(files["cwd"]).toBe("/srv/data\n");
    expect(lines).toContain("rootfs/srv/data directory 755 0:0");
    expect((await settings({ WorkingDir: "/" })).files["cwd"]).toBeUndefined();
  });

  it("names what is lost: capabilities, other attributes, volumes and ports", async () => {
    const layer = tar([
      { name: "ping", content: "x", pax: { "SCHILY.xattr.security.capability": "\x01" } },
      { name: "acl", content: "x", pax: { "SCHILY.acl.access": "user::rwx" } },
      { name: "null", type: "3", device: [1, 3] },
    ]);
    const config = { Volumes: { "/data": {} }, ExposedPorts: {} };
    const image = await openImage(await writeFiles(layoutFiles({ layers: [layer], config, os: "" })));
    const { findings } = await imageRamdisk(image, join(await scratch(), "out"));
    expect(findings.map((finding) => finding.code)).toEqual([
      "BP-IMAGE-106",
      "BP-IMAGE-101",
      "BP-IMAGE-102",
      "BP-IMAGE-105",
      "BP-IMAGE-109",
    ]);
    expect(findings[1]?.message).toContain('"ping"');
  });
});

describe("a folder becomes a ramdisk as it lies there", () => {
  async function folder(): Promise<string> {
    const root = await scratch();
    chmodSync(root, 0o755);
    mkdirSync(join(root, "bin"), { mode: 0o755 });
    writeFileSync(join(root, "bin/su"), "su");
    chmodSync(join(root, "bin/su"), 0o4755);
    linkSync(join(root, "bin/su"), join(root, "bin/su2"));
    symlinkSync("/etc/passwd", join(root, "link"));
    symlinkSync("/etc", join(root, "outside"));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/f`), Buffer.of(0xff)]), "bytes");
    return root;
  }

  it("keeps modes, links and hard links, and follows nothing out of it", async () => {
    const bytes = Buffer.from(await ramdiskBytes(await openFolder(await folder()), { prefix: "" }));
    expect(bytes.includes(Buffer.concat([Buffer.from("f"), Buffer.of(0xff, 0)]))).toBe(true);
    const root = await folder();
    execFileSync("find", [root, "-name", "f*", "-delete"]);
    expect(listing(await ramdiskBytes(await openFolder(root), { prefix: "" }))).toEqual([
      "bin directory 755 0:0",
      'bin/su file 4755 0:0 "su" =bin/su',
      'bin/su2 file 4755 0:0 "su" =bin/su',
      'link symlink 777 0:0 "/etc/passwd"',
      'outside symlink 777 0:0 "/etc"',
    ]);
  });

  it("gives the same bytes as a tar of it, in which .wh. is a name like any other", async () => {
    const root = await scratch();
    chmodSync(root, 0o755);
    writeFileSync(join(root, ".wh.name"), "x", { mode: 0o644 });
    const packed = await writeBytes(tar([{ name: ".wh.name", content: "x" }]));
    const options = { cmd: ["/x"] };
    expect(await ramdiskBytes(await openFolder(packed), options)).toEqual(
      await ramdiskBytes(await openFolder(root), options),
    );
  });

  it("refuses sockets, no command, and what is no folder", async () => {
    const root = await scratch();
    const server = createServer().listen(join(root, "s"));
    await new Promise((resolve) => server.once("listening", resolve));
    await expect(planRamdisk(await openFolder(root))).rejects.toThrow(code("BP-IMAGE-013"));
    server.close();
    await expect(planRamdisk(await openFolder(await scratch()))).rejects.toThrow(code("BP-IMAGE-016"));
    await expect(openFolder("/dev/null")).rejects.toThrow(code("BP-IMAGE-001"));
    await expect(openFolder("/nowhere")).rejects.toThrow(code("BP-IMAGE-001"));
  });

  it("says when a file changed between being listed and being read", async () => {
    const root = await scratch();
    writeFileSync(join(root, "f"), "before");
    const ramdisk = await planRamdisk(await openFolder(root), { prefix: "" });
    writeFileSync(join(root, "f"), "behind!");
    await expect(
      (async () => {
        for await (const chunk of ramdisk.chunks()) expect(chunk.length).toBeGreaterThan(0);
      })(),
    ).rejects.toThrow(code("BP-IMAGE-019"));
    await ramdisk.close();
  });

  it("refuses a file of 4 GiB, of a folder or with holes in a layer", async () => {
    const root = await scratch();
    writeFileSync(join(root, "f"), "");
    truncateSync(join(root, "f"), 2 ** 32);
    await expect(planRamdisk(await openFolder(root), { prefix: "" })).rejects.toThrow(code("BP-IMAGE-015"));
    const pax = { "GNU.sparse.size": "4294967296", "GNU.sparse.map": "0,1" };
    const image = { layers: [tar([{ name: "f", content: "x", pax }])] };
    const opened = await openImage(await writeFiles(layoutFiles(image)));
    await expect(planRamdisk(opened)).rejects.toThrow(code("BP-IMAGE-015"));
  });
});

describe("a small image cannot fill the disk or the memory", () => {
  const bomb: ImageInput = { layers: [tar([{ name: "zeros", content: new Uint8Array(8 * 2 ** 20) }])] };

  it.each([
    ["uncompressed bytes", { totalSize: 2 ** 20 }],
    ["bytes for each compressed one", { ratio: 100, ratioFrom: 2 ** 20 }],
    ["entries", { entries: 0 }],
  ])("limits %s", async (_what, limits) => {
    const image = await openImage(await writeFiles(layoutFiles(bomb)));
    await expect(planRamdisk(image, { limits: { ...IMAGE_LIMITS, ...limits } })).rejects.toThrow(
      code("BP-IMAGE-014"),
    );
    const plain = await openImage(await writeFiles(layoutFiles({ ...bomb, compression: "none" })));
    if ("totalSize" in limits)
      await expect(planRamdisk(plain, { limits: { ...IMAGE_LIMITS, ...limits } })).rejects.toThrow(
        code("BP-IMAGE-014"),
      );
  });

  it("counts directories that nobody wrote down, and paths too long for a kernel", async () => {
    const deep = { name: "n", pax: { path: "d/".repeat(1000) + "f" } };
    const image = await openImage(await writeFiles(layoutFiles({ layers: [tar([deep])] })));
    const limits = { ...IMAGE_LIMITS, entries: 500 };
    await expect(planRamdisk(image, { limits })).rejects.toThrow(code("BP-IMAGE-014"));
    const long = { name: "n", pax: { path: "d/".repeat(2045) + "long" } };
    const other = await openImage(await writeFiles(layoutFiles({ layers: [tar([long])] })));
    await expect(planRamdisk(other)).rejects.toThrow(code("BP-IMAGE-015"));
  });

  it("leaves no file behind, when it works and when it fails", async () => {
    const workFolder = await scratch();
    const image = await openImage(await writeFiles(layoutFiles(bomb)));
    const ramdisk = await planRamdisk(image, { workFolder });
    expect(readdirSync(workFolder)).toEqual([]);
    await ramdisk.close();
    await expect(planRamdisk(image, { workFolder: join(workFolder, "none") })).rejects.toThrow(
      code("BP-IMAGE-020"),
    );
    await expect(planRamdisk(image, { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  });

  it("unpacks layers of several gzip members and zstd frames whole", async () => {
    const layer = tar([{ name: "f", content: "x".repeat(5000) }]);
    const half = layer.length >> 1;
    for (const pack of [gzipSync, zstdCompressSync]) {
      // A frame to skip, as zstd:chunked has them; gzip has nothing like it.
      const skipped =
        pack === zstdCompressSync ? Buffer.from("502a4d1803000000616263", "hex") : Buffer.alloc(0);
      const parts = Buffer.concat([
        skipped,
        pack(layer.subarray(0, half)),
        pack(layer.subarray(half)),
        skipped,
      ]);
      const files = savedFiles({ layers: [layer] });
      const name = Object.keys(files).find((key) => key.endsWith("layer.tar"))!;
      const image = await openImage(await writeFiles({ ...files, [name]: parts }));
      expect(await ramdiskBytes(image)).toEqual(await ramdiskBytes(await openImage(await writeFiles(files))));
      const broken = await openImage(await writeFiles({ ...files, [name]: parts.subarray(0, -20) }));
      await expect(planRamdisk(broken)).rejects.toThrow(code("BP-IMAGE-009"));
    }
  });
});

it("names the blob of a broken layer, not the file that it was unpacked to and that is gone", async () => {
  const image: ImageInput = { layers: [Buffer.from("no tar".padEnd(512))], compression: "gzip" };
  const layout = await writeFiles(layoutFiles(image));
  const found: unknown = await planRamdisk(await openImage(layout)).catch((error: unknown) => error);
  expect(found).toMatchObject({ code: "BP-IMAGE-010", offset: 0 });
  expect((found as { file: string }).file.startsWith(join(layout, "blobs/sha256/"))).toBe(true);
});

it("lists what an image has instead of the pinned digest, without a blank where no platform is named", async () => {
  const layout = await writeFiles(layoutFiles({ layers: [tar(FILES)] }));
  const found: unknown = await openImage(layout, { digest: `sha256:${"0".repeat(64)}` }).catch(
    (error: unknown) => error,
  );
  expect(found).toMatchObject({
    code: "BP-IMAGE-007",
    issues: [expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
  });
});
