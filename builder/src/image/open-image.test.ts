import { describe, expect, it } from "vitest";
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import {
  configOf,
  type Files,
  filesTar,
  type ImageInput,
  layoutDocuments,
  layoutFiles,
  newSavedFiles,
  putBlob,
  putImage,
  ramdiskBytes,
  savedFiles,
  tar,
  writeBytes,
  writeFiles,
} from "./image.testing.ts";
import { openImage } from "./open-image.ts";

const LAYERS = [
  tar([
    { name: "bin/app", content: "app", mode: 0o4755 },
    { name: "etc/passwd", content: "root:x:0:0::/:\n" },
  ]),
  tar([{ name: "etc/.wh.passwd" }, { name: "bin/also", type: "1", link: "bin/app" }]),
];
const IMAGE: ImageInput = { layers: LAYERS };
const digest = (bytes: Uint8Array): string => `sha256:${formatHex(sha256(bytes))}`;
const ID = digest(configOf(IMAGE));
const code = (expected: string): Error =>
  expect.objectContaining({ name: "BuildError", code: expected }) as Error;
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const read = (bytes: Uint8Array | undefined): Record<string, unknown> =>
  JSON.parse(text(bytes)) as Record<string, unknown>;

describe("one image in every packing gives one ramdisk, byte for byte", () => {
  const packings: Record<string, () => Promise<string>> = {
    "an OCI layout with gzip": () => writeFiles(layoutFiles(IMAGE)),
    "an OCI layout with zstd": () => writeFiles(layoutFiles({ ...IMAGE, compression: "zstd" })),
    "an OCI layout without compression": () => writeFiles(layoutFiles({ ...IMAGE, compression: "none" })),
    "a tar of an OCI layout": () => writeBytes(filesTar(layoutFiles(IMAGE))),
    "docker save of old": () => writeBytes(filesTar(savedFiles(IMAGE))),
    "docker save of today": () => writeBytes(filesTar(newSavedFiles(IMAGE))),
    "docker save, unpacked": () => writeFiles(savedFiles(IMAGE)),
  };

  it.each(Object.keys(packings))("%s", async (name) => {
    const expected = await ramdiskBytes(await openImage(await packings["docker save of old"]!()));
    const image = await openImage(await packings[name]!());
    expect(image.id).toBe(ID);
    expect(formatHex(sha256(await ramdiskBytes(image)))).toBe(formatHex(sha256(expected)));
    const places = new Map(image.blobs.map(({ sha256: hash, place }) => [hash, place]));
    expect(places.size).toBe(image.blobs.length);
    expect(image.layers.every((layer) => places.has(layer.sha256))).toBe(true);
  });

  it("and writes the bytes that it always wrote", async () => {
    const bytes = await ramdiskBytes(await openImage(await writeFiles(layoutFiles(IMAGE))));
    expect(formatHex(sha256(bytes))).toBe("15a8b79d98253b11dab3956b59e1b28ea15e9d46dbfe8cb3f618dc5917fcc82f");
  });
});

describe("which image is meant", () => {
  const arm: ImageInput = { layers: [tar([{ name: "arm", content: "x" }])], architecture: "arm64" };
  const platform = (architecture: string, os = "linux") => ({ platform: { os, architecture } });

  function several(): Files {
    const files: Files = {};
    const amd = { ...putImage(files, IMAGE), ...platform("amd64") };
    const other = { ...putImage(files, arm), ...platform("arm64") };
    const attestation = {
      ...putImage(files, { layers: [] }),
      ...platform("unknown", "unknown"),
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    };
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = putBlob(
      files,
      mediaType,
      json({ schemaVersion: 2, mediaType, manifests: [amd, attestation, other] }),
    );
    return { ...files, ...layoutDocuments([index]) };
  }

  it("takes the platform that is asked for, from an index within the index, and passes attestations over", async () => {
    const folder = await writeFiles(several());
    expect((await openImage(folder)).id).toBe(ID);
    expect((await openImage(folder, { platform: "linux/arm64" })).id).toBe(digest(configOf(arm)));
    expect((await openImage(folder, { platform: "linux/arm64/v8" })).id).toBe(digest(configOf(arm)));
    await expect(openImage(folder, { platform: "linux/riscv64" })).rejects.toThrow(code("BP-IMAGE-005"));
    await expect(openImage(folder, { platform: "amd64" })).rejects.toThrow(code("BP-IMAGE-005"));
  });

  it("takes a pin of the index, the manifest or the image id, and refuses any other", async () => {
    const files = several();
    const folder = await writeFiles(files);
    const image = await openImage(folder);
    const index = (read(files["index.json"])["manifests"] as { digest: string }[])[0]!.digest;
    for (const pin of [index, digest(files["index.json"]!), image.manifest!, image.id])
      expect((await openImage(folder, { digest: pin })).id).toBe(ID);
    await expect(openImage(folder, { digest: `sha256:${"0".repeat(64)}` })).rejects.toThrow(
      code("BP-IMAGE-007"),
    );
    await expect(openImage(folder, { digest: "latest" })).rejects.toThrow(code("BP-IMAGE-007"));
    await expect(openImage(folder, { digest: digest(configOf(arm)) })).rejects.toThrow(code("BP-IMAGE-005"));
  });

  it("takes an image id as the pin of what docker saved, and refuses a manifest's digest", async () => {
    const path = await writeBytes(filesTar(savedFiles(IMAGE)));
    expect((await openImage(path, { digest: ID })).id).toBe(ID);
    await expect(openImage(path, { digest: digest(utf8("manifest")) })).rejects.toThrow(code("BP-IMAGE-007"));
  });

  it("refuses to guess among several images, and takes one under two names for one", async () => {
    const files: Files = {};
    const [one, two] = [putImage(files, IMAGE), putImage(files, { layers: [] })];
    const both = await writeFiles({ ...files, ...layoutDocuments([one, two]) });
    await expect(openImage(both)).rejects.toThrow(code("BP-IMAGE-006"));
    expect((await openImage(both, { digest: ID })).id).toBe(ID);
    const twice = await writeFiles({ ...files, ...layoutDocuments([one, { ...one }]) });
    expect((await openImage(twice)).id).toBe(ID);
    const saved = savedFiles(IMAGE);
    const other = savedFiles({ layers: [] });
    const manifests = [saved, other].flatMap((each) => JSON.parse(text(each["manifest.json"])) as unknown[]);
    const path = await writeBytes(filesTar({ ...other, ...saved, "manifest.json": json(manifests) }));
    await expect(openImage(path)).rejects.toThrow(code("BP-IMAGE-006"));
    expect((await openImage(path, { digest: ID })).id).toBe(ID);
  });
});

describe("what an image says of itself is checked", () => {
  const edit = (files: Files, name: string, change: (value: Record<string, unknown>) => unknown): Files => ({
    ...files,
    [name]: json(change(read(files[name]))),
  });

  /** A layout whose manifest was changed, and is named by its new digest. */
  function withManifest(
    change: (value: Record<string, unknown>) => unknown,
    files = layoutFiles(IMAGE),
  ): Files {
    const [old] = read(files["index.json"])["manifests"] as { digest: string }[];
    const manifest = json(change(read(files[`blobs/sha256/${old!.digest.slice(7)}`])));
    const changed: Files = { ...files };
    const named = putBlob(changed, "application/vnd.oci.image.manifest.v1+json", manifest);
    return { ...changed, ...layoutDocuments([named]) };
  }

  it.each<[string, string, Files]>([
    ["an empty folder", "BP-IMAGE-001", { other: new Uint8Array(1) }],
    [
      "a layout of another version",
      "BP-IMAGE-002",
      edit(layoutFiles(IMAGE), "oci-layout", () => ({ imageLayoutVersion: "2.0.0" })),
    ],
    ["a layout without index", "BP-IMAGE-003", { "oci-layout": layoutFiles(IMAGE)["oci-layout"]! }],
    [
      "an index that is a manifest too",
      "BP-IMAGE-002",
      edit(layoutFiles(IMAGE), "index.json", (index) => ({ ...index, layers: [] })),
    ],
    [
      "an index with a key twice",
      "BP-IMAGE-002",
      { ...layoutFiles(IMAGE), "index.json": utf8('{"schemaVersion":2,"manifests":[],"manifests":[]}') },
    ],
    ["an index of nothing", "BP-IMAGE-005", { ...layoutFiles(IMAGE), ...layoutDocuments([]) }],
    [
      "a manifest of another media type than said",
      "BP-IMAGE-002",
      withManifest((value) => ({ ...value, mediaType: "application/vnd.oci.image.index.v1+json" })),
    ],
    ["schema 1", "BP-IMAGE-002", withManifest((value) => ({ ...value, schemaVersion: 1 }))],
    [
      "an artifact that is no image",
      "BP-IMAGE-005",
      withManifest((value) => ({ ...value, artifactType: "text/plain" })),
    ],
    [
      "a foreign layer",
      "BP-IMAGE-008",
      withManifest((value) => ({
        ...value,
        layers: (value["layers"] as object[]).map((layer) => ({
          ...layer,
          mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        })),
      })),
    ],
    [
      "a digest of another algorithm",
      "BP-IMAGE-002",
      withManifest((value) => ({
        ...value,
        config: { ...(value["config"] as object), digest: `sha512:${"0".repeat(128)}` },
      })),
    ],
    [
      "fewer layers than the configuration names",
      "BP-IMAGE-009",
      withManifest((value) => ({ ...value, layers: (value["layers"] as object[]).slice(1) })),
    ],
    [
      "a size that is not the blob's",
      "BP-IMAGE-004",
      withManifest((value) => ({ ...value, config: { ...(value["config"] as object), size: 1 } })),
    ],
    ["an image for another platform", "BP-IMAGE-005", layoutFiles({ ...IMAGE, architecture: "arm64" })],
    [
      "a saved configuration with another name",
      "BP-IMAGE-004",
      {
        ...savedFiles(IMAGE),
        "manifest.json": json([{ Config: `${"0".repeat(64)}.json`, Layers: [] }]),
        [`${"0".repeat(64)}.json`]: configOf(IMAGE),
      },
    ],
    [
      "a saved layer that is not there",
      "BP-IMAGE-003",
      {
        ...savedFiles(IMAGE),
        "manifest.json": json([{ Config: `${ID.slice(7)}.json`, Layers: ["../../etc/passwd"] }]),
      },
    ],
  ])("refuses %s", async (_what, expected, files) => {
    await expect(openImage(await writeFiles(files))).rejects.toThrow(code(expected));
    if (expected !== "BP-IMAGE-001")
      await expect(openImage(await writeBytes(filesTar(files)))).rejects.toThrow(code(expected));
  });

  it("refuses every part whose bytes were changed, before or when it is used", async () => {
    const files = layoutFiles(IMAGE);
    for (const name of Object.keys(files).filter((key) => key.startsWith("blobs/"))) {
      const changed = files[name]!.slice();
      changed[changed.length >> 1]! ^= 1;
      const path = await writeBytes(filesTar({ ...files, [name]: changed }));
      const whole = async (): Promise<Uint8Array> => ramdiskBytes(await openImage(path));
      await expect(whole()).rejects.toThrow(code("BP-IMAGE-004"));
    }
    const missing = Object.keys(files).filter((key) => key.startsWith("blobs/"));
    for (const name of missing) {
      const rest = Object.fromEntries(Object.entries(files).filter(([key]) => key !== name));
      await expect(openImage(await writeBytes(filesTar(rest)))).rejects.toThrow(code("BP-IMAGE-003"));
    }
  });

  it("refuses a layer that does not unpack to what the configuration names, compressed or not", async () => {
    for (const compression of ["none", "gzip", "zstd"] as const) {
      const files: Files = {};
      const right = layoutFiles({ ...IMAGE, compression });
      const wrong = layoutFiles({ layers: [LAYERS[0]!, LAYERS[0]!], compression });
      const [manifest] = read(wrong["index.json"])["manifests"] as { digest: string }[];
      const [own] = read(right["index.json"])["manifests"] as { digest: string }[];
      const { layers } = read(wrong[`blobs/sha256/${manifest!.digest.slice(7)}`]);
      const mixed = json({ ...read(right[`blobs/sha256/${own!.digest.slice(7)}`]), layers });
      const named = putBlob(files, "application/vnd.oci.image.manifest.v1+json", mixed);
      const path = await writeFiles({ ...wrong, ...right, ...files, ...layoutDocuments([named]) });
      const image = await openImage(path);
      await expect(ramdiskBytes(image)).rejects.toThrow(code("BP-IMAGE-009"));
    }
  });

  it("says when docker would load another image out of the archive", async () => {
    const other = newSavedFiles({ layers: [] });
    const files = { ...other, ...newSavedFiles(IMAGE), "manifest.json": other["manifest.json"]! };
    const { findings } = await openImage(await writeBytes(filesTar(files)));
    expect(findings.map(({ code: found }) => found)).toEqual(["BP-IMAGE-108"]);
  });

  it("follows links among the members of a saved image, and none out of it", async () => {
    const files = savedFiles({ layers: [LAYERS[0]!, LAYERS[0]!] });
    const [first, second] = Object.keys(files).filter((name) => name.endsWith("layer.tar"));
    const link = (target: string): Uint8Array =>
      tar([
        ...Object.entries(files)
          .filter(([name]) => name !== second)
          .map(([name, content]) => ({ name, content })),
        { name: second!, type: "2", link: target },
      ]);
    const image = await openImage(await writeBytes(link(`../${first!}`)));
    expect(image.layers.map(({ place }) => place.offset)).toEqual([
      image.layers[0]!.place.offset,
      image.layers[0]!.place.offset,
    ]);
    await expect(openImage(await writeBytes(link("../../../../etc/passwd")))).rejects.toThrow(
      code("BP-IMAGE-003"),
    );
    await expect(openImage(await writeBytes(link(second!.split("/")[1]!)))).rejects.toThrow(
      code("BP-IMAGE-003"),
    );
  });

  it("says what a compressed archive, a missing one and a pipe are", async () => {
    await expect(openImage(await writeBytes(Uint8Array.of(0x1f, 0x8b, 8, 0)))).rejects.toMatchObject({
      code: "BP-IMAGE-010",
      hint: expect.stringContaining("gunzip") as string,
    });
    await expect(openImage("/nowhere/image.tar")).rejects.toThrow(code("BP-IMAGE-001"));
    await expect(openImage("/dev/null")).rejects.toThrow(code("BP-IMAGE-001"));
  });
});
