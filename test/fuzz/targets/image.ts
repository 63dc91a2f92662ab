/**
 * Container images through openImage and planRamdisk: refused with a documented code, or a ramdisk of exactly the size
 * that was planned, which the strict reader of initrds takes and in which no name leaves the root. Layers are changed
 * inside (with sums and digests made right again, so that the change is reached), documents and archives from outside.
 * @module
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readCpio } from "@bootproof/boot";
import { BuildError } from "@bootproof/builder";
import { openImage, planRamdisk } from "@bootproof/builder/image";
import { concatBytes, utf8 } from "@bootproof/bytes";
import { mutateBytes } from "../mutate.ts";
import type { Random } from "../random.ts";
import { Complaint, type Target } from "../target.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const folder = mkdtempSync(path.join(tmpdir(), "bootproof-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, "image.tar");

/** Readers of images do not crash, do not lie about sizes, and let nothing out of the root. */
export const image: Target = {
  name: "image",
  about: "container images through openImage and planRamdisk",
  limit: 500,
  makeCase(random) {
    const bytes = makeArchive(random);
    return {
      bytes,
      given: "openImage, planRamdisk",
      run: async () => {
        try {
          return await makeRamdisk(bytes);
        } catch (error) {
          if (error instanceof BuildError && error.code.startsWith("BP-IMAGE-0")) return undefined;
          if (error instanceof Complaint) throw error;
          throw new Complaint(`threw ${error instanceof Error ? (error.stack ?? "") : String(error)}`);
        }
      },
      judge: (answer) => {
        if (answer === undefined) return "refused";
        const { entries } = readCpio(answer as Bytes);
        const bad = entries.find(({ unsafe }) => unsafe !== undefined);
        if (bad !== undefined) throw new Complaint(`a name that leaves the root: ${bad.name}`);
        return "accepted";
      },
    };
  },
};

async function makeRamdisk(bytes: Bytes): Promise<Bytes> {
  writeFileSync(file, bytes);
  const ramdisk = await planRamdisk(await openImage(file), { workFolder: folder });
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of ramdisk.chunks()) chunks.push(chunk);
    const whole = concatBytes(...chunks);
    if (whole.length !== ramdisk.size) throw new Complaint(`planned ${ramdisk.size}, wrote ${whole.length}`);
    return whole;
  } finally {
    await ramdisk.close();
  }
}

const GOOD =
  "a b d/ d/a d/b/c /a b/ l/a l etc/passwd é d/b/ e/a e f .wh.a d/.wh..wh..opq .wh.d l/.wh.a d//a".split(" ");
const ODD = "../a d/../a .wh. .wh..wh.plnk/1 .wh..wh..opq ./ a/b \u00ff"
  .split(" ")
  .concat("a".repeat(99), "");
const NAMES = [...GOOD, ...GOOD, ...GOOD, ...ODD];
const USUAL = ["0", "0", "0", "2", "3", "4", "5", "5", "6", "7"];
const RARE = ["1", "x", "g", "L", "K", "S", "\0", "Z"];
const RECORDS = [
  "path=d/a",
  "linkpath=b",
  "size=3",
  "uid=5",
  "GNU.sparse.map=0,1",
  "GNU.sparse.size=9",
  "comment=x",
];

function makeArchive(random: Random): Bytes {
  const layers = Array.from({ length: 1 + random.below(3) }, () => makeLayer(random));
  const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const diffIds = layers.map((layer) => `sha256:${hash(layer)}`);
  const settings = {
    Cmd: ["/a"],
    User: random.pick(["", "1:2", "root", "x"]),
    WorkingDir: random.pick(["", "/", "/d/b", "/l/x", "../.."]),
  };
  const document = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: diffIds } };
  let config: Bytes = utf8(JSON.stringify({ ...document, config: settings }));
  if (random.oneIn(8)) config = mutateBytes(config, random, [config]);
  const names = layers.map((_, at) => `${at}.tar`);
  let manifest: Bytes = utf8(JSON.stringify([{ Config: `${hash(config)}.json`, Layers: names }]));
  if (random.oneIn(16)) manifest = mutateBytes(manifest, random, [config]);
  const members = [
    header({ name: `${hash(config)}.json`, size: config.length }),
    filled(config),
    ...layers.flatMap((layer, at) => [header({ name: `${at}.tar`, size: layer.length }), filled(layer)]),
    header({ name: "manifest.json", size: manifest.length }),
    filled(manifest),
  ];
  const archive = concatBytes(...members, new Uint8Array(1024));
  return random.oneIn(8) ? mutateBytes(archive, random, [archive]) : archive;
}

function makeLayer(random: Random): Bytes {
  const parts: Uint8Array[] = [];
  for (let count = random.below(8); count > 0; count--) {
    const type = random.pick(random.oneIn(6) ? RARE : USUAL);
    const name = random.pick(NAMES);
    const special = "xgLK".includes(type);
    const bytes = special
      ? announced(random, type)
      : new Uint8Array("0S7Z\0".includes(type) ? random.below(700) : 0);
    const block = header({
      name,
      type,
      size: bytes.length,
      link: random.pick(NAMES),
      mode: random.below(0o10000),
    });
    if (random.oneIn(40)) block[random.below(512)] = random.below(256);
    parts.push(fixSum(block), filled(bytes));
  }
  const layer = concatBytes(...parts, new Uint8Array(1024));
  return random.oneIn(8) ? mutateBytes(layer, random, [layer]) : layer;
}

/** What an extended header or a long name says of the next entry. */
function announced(random: Random, type: string): Bytes {
  if (type === "L" || type === "K") return utf8(`${random.pick(NAMES)}\0`);
  const records = Array.from({ length: 1 + random.below(3) }, () => {
    const rest = ` ${random.pick(RECORDS)}\n`;
    const length = rest.length + 1;
    return `${length + (length > 9 ? 1 : 0)}${rest}`;
  });
  const bytes = utf8(records.join(""));
  return random.oneIn(4) ? mutateBytes(bytes, random, [bytes]) : bytes;
}

interface HeaderFields {
  readonly name: string;
  readonly size: number;
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
}

function header({ name, size, type = "0", link = "", mode = 0o644 }: HeaderFields): Bytes {
  const block = new Uint8Array(512);
  const octal = (value: number, length: number): string => value.toString(8).padStart(length, "0");
  const fields: readonly (readonly [number, string])[] = [
    ...([
      [0, name],
      [100, octal(mode, 7)],
      [124, octal(size, 11)],
      [156, type],
      [157, link],
    ] as const),
    ...([
      [257, "ustar\0" + "00"],
      [329, octal(1, 7)],
      [337, octal(3, 7)],
    ] as const),
  ];
  for (const [offset, text] of fields) block.set(utf8(text), offset);
  return fixSum(block);
}

function fixSum(block: Bytes): Bytes {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

const filled = (bytes: Uint8Array): Bytes =>
  concatBytes(bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
