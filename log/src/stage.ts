/**
 * The stage: every file of one commit in one object, written before the commit point, so that a crash after it can
 * be completed from the stage alone. Its name holds the digest of its bytes: two stages never collide.
 *
 * Form: the line below, u32 count, then of each file u16 length and bytes of its path, u32 length and bytes of its
 * content; all integers big-endian.
 * @module
 */
import { ByteReader, ByteWriter, formatHex, ParseError, parseUtf8, sha256, utf8 } from "@bootproof/bytes";
import { parseTilePath } from "./tile-path.ts";

const MAGIC = utf8("bootproof.log/stage@v1\n");
const NAME = /^stage\/(0|[1-9][0-9]{0,18})-[0-9a-f]{64}$/;
/** Folder of the stages in the private store. */
export const STAGE_PREFIX = "stage/";

/** A tile or bundle of the log as it is stored. */
export interface StagedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A stage's key in the private store: the tree size it leads to and the digest of its bytes. */
export function stageName(size: bigint, stage: Uint8Array): string {
  return `${STAGE_PREFIX}${size}-${formatHex(sha256(stage))}`;
}

/** The tree size that a stage leads to; throws {@link ParseError} when it is no stage's name. */
export function parseStageName(name: string): bigint {
  const [, size] = NAME.exec(name) ?? [];
  if (size === undefined)
    throw new ParseError("NOT_CANONICAL", "stage name", { found: JSON.stringify(name) });
  return BigInt(size);
}

/** Whether `name` is the key of a stage. */
export const isStageName = (name: string): boolean => NAME.test(name);

/** The bytes of a stage. */
export function encodeStage(files: readonly StagedFile[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(files.reduce((sum, { bytes }) => sum + bytes.length + 64, MAGIC.length));
  writer.bytes(MAGIC).u32be(files.length);
  for (const { path, bytes } of files) {
    const name = utf8(path);
    writer.u16be(name.length).bytes(name).u32be(bytes.length).bytes(bytes);
  }
  return writer.finish();
}

/** Parses a stage; only paths of tiles and bundles are taken, each once. Throws {@link ParseError}. */
export function parseStage(bytes: Uint8Array): StagedFile[] {
  const reader = new ByteReader(bytes);
  const magic = parseUtf8(reader.bytes(MAGIC.length, "stage magic"), "stage magic");
  if (magic !== parseUtf8(MAGIC, "stage magic")) throw new ParseError("BAD_MAGIC", "stage", { offset: 0 });
  const count = reader.u32be("stage count");
  const files = new Map<string, Uint8Array>();
  for (let index = 0; index < count; index++) {
    const { offset } = reader;
    const path = parseUtf8(reader.bytes(reader.u16be("staged path length"), "staged path"), "staged path");
    parseTilePath(path);
    if (files.has(path)) throw new ParseError("DUPLICATE", "staged path", { offset, found: path });
    files.set(path, reader.bytes(reader.u32be("staged file length"), "staged file"));
  }
  reader.end("stage");
  return Array.from(files, ([path, content]) => ({ path, bytes: content }));
}
