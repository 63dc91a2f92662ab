/**
 * Container images made in a test: an OCI layout from layers that GNU tar packs.
 * @module
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";

/** A layer: names of files and their text; a name that ends in a slash is a folder. */
export type LayerFiles = Readonly<Record<string, string>>;

/** What the configuration says. */
export interface ImageSettings {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Writes an OCI layout with one image into `folder`, which is made; returns the image's digest. */
export async function writeLayout(
  folder: string,
  layers: readonly LayerFiles[],
  settings: ImageSettings,
): Promise<string> {
  return writeLayoutOfTars(folder, await Promise.all(layers.map(packLayer)), settings);
}

/** The same from tars, for layers with what files on a disk cannot show. */
export async function writeLayoutOfTars(
  folder: string,
  tars: readonly Uint8Array[],
  settings: ImageSettings,
): Promise<string> {
  await mkdir(path.join(folder, "blobs/sha256"), { recursive: true });
  const put = async (mediaType: string, bytes: Uint8Array): Promise<object> => {
    await writeFile(path.join(folder, "blobs/sha256", digest(bytes)), bytes);
    return { mediaType, digest: `sha256:${digest(bytes)}`, size: bytes.length };
  };
  const described = await Promise.all(
    tars.map((tar) => put("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar))),
  );
  const config = {
    architecture: "amd64",
    os: "linux",
    config: settings,
    rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${digest(tar)}`) },
  };
  const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await put(
    mediaType,
    json({
      schemaVersion: 2,
      mediaType,
      config: await put("application/vnd.oci.image.config.v1+json", json(config)),
      layers: described,
    }),
  );
  await writeFile(path.join(folder, "index.json"), json({ schemaVersion: 2, manifests: [manifest] }));
  await writeFile(path.join(folder, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  return (manifest as { digest: string }).digest;
}

async function packLayer(files: LayerFiles): Promise<Uint8Array> {
  const root = await mkdtemp(path.join(tmpdir(), "bootproof-layer-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.join(root, name.endsWith("/") ? name : path.dirname(name)), { recursive: true });
      if (!name.endsWith("/")) await writeFile(path.join(root, name), text, { mode: 0o755 });
    }
    const tar = path.join(root, "..", `${path.basename(root)}.tar`);
    await execa("tar", ["--owner=0", "--group=0", "--sort=name", "-C", root, "-cf", tar, "."]);
    const bytes = await readFile(tar);
    await rm(tar);
    return bytes;
  } finally {
    await rm(root, { recursive: true });
  }
}

/** A kernel that no machine boots: the header of a bzImage, with the sizes that it says. */
export function smallestKernel(): Uint8Array {
  const kernel = new Uint8Array(1024 + 64);
  const view = new DataView(kernel.buffer);
  view.setUint8(0x1f1, 1); // setup_sects
  view.setUint32(0x1f4, 4, true); // syssize, in 16 bytes
  view.setUint16(0x1fe, 0xaa55, true); // boot_flag
  kernel.set([0xeb, 0x66], 0x200); // jump
  kernel.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint16(0x206, 0x020f, true); // version
  return kernel;
}
