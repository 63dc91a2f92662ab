/**
 * The messages of the Remote Execution API v2 (build.bazel.remote.execution.v2, remote_execution.proto) that name an
 * action: Digest, Directory, Command, Action. Field numbers are those of the API's file.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { MessageWriter } from "./protobuf.ts";
import { compareNames } from "./tree.ts";

/** Digest: a blob's SHA-256 in lower-case hex and its size. */
export interface RemoteDigest {
  readonly hash: string;
  readonly size: number;
}

/** A node of a Directory; a name is unique among all three kinds. */
export interface DirectoryNodes {
  readonly files: readonly {
    readonly name: string;
    readonly digest: RemoteDigest;
    readonly executable: boolean;
  }[];
  readonly directories: readonly { readonly name: string; readonly digest: RemoteDigest }[];
  readonly symlinks: readonly { readonly name: string; readonly target: string }[];
}

/** Command: what runs, in which environment, and what it leaves. */
export interface Command {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly outputPaths: readonly string[];
  readonly workingDirectory: string;
}

/** Action: a command on an input root. */
export interface Action {
  readonly command: RemoteDigest;
  readonly inputRoot: RemoteDigest;
  readonly timeoutSeconds: number;
  readonly platform: Readonly<Record<string, string>>;
}

/** The digest of a blob. */
export const remoteDigestOf = (bytes: Uint8Array): RemoteDigest => ({
  hash: formatHex(sha256(bytes)),
  size: bytes.length,
});

/** Digest message. */
const encodeDigest = ({ hash, size }: RemoteDigest): Uint8Array =>
  new MessageWriter()
    .string(1, hash) // hash
    .integer(2, size) // size_bytes
    .finish();

/** Directory message: each kind of child sorted by name. Throws RangeError when a name appears twice. */
export function encodeDirectory({ files, directories, symlinks }: DirectoryNodes): Uint8Array<ArrayBuffer> {
  const names = [...files, ...directories, ...symlinks].map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new RangeError("a directory has two children of one name");
  const writer = new MessageWriter();
  for (const { name, digest, executable } of sorted(files))
    writer.message(
      1, // files: FileNode
      new MessageWriter().string(1, name).message(2, encodeDigest(digest)).boolean(4, executable).finish(),
    );
  for (const { name, digest } of sorted(directories))
    writer.message(
      2, // directories: DirectoryNode
      new MessageWriter().string(1, name).message(2, encodeDigest(digest)).finish(),
    );
  for (const { name, target } of sorted(symlinks))
    writer.message(3, new MessageWriter().string(1, name).string(2, target).finish()); // symlinks: SymlinkNode
  return writer.finish();
}

/** Command message: environment and output paths sorted, as the API demands. */
export function encodeCommand(command: Command): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter().strings(1, command.arguments); // arguments
  for (const [name, value] of sortedPairs(command.environment))
    writer.message(2, new MessageWriter().string(1, name).string(2, value).finish()); // environment_variables
  return writer
    .string(6, command.workingDirectory) // working_directory
    .strings(7, [...command.outputPaths].sort(compareNames)) // output_paths
    .finish();
}

/** Action message. */
export function encodeAction(action: Action): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter()
    .message(1, encodeDigest(action.command)) // command_digest
    .message(2, encodeDigest(action.inputRoot)) // input_root_digest
    .message(6, new MessageWriter().integer(1, action.timeoutSeconds).finish()); // timeout: Duration
  const properties = sortedPairs(action.platform);
  if (properties.length === 0) return writer.finish();
  const platform = new MessageWriter();
  for (const [name, value] of properties)
    platform.message(1, new MessageWriter().string(1, name).string(2, value).finish()); // properties
  return writer.message(10, platform.finish()).finish(); // platform
}

const sorted = <T extends { readonly name: string }>(nodes: readonly T[]): T[] =>
  [...nodes].sort((a, b) => compareNames(a.name, b.name));

const sortedPairs = (record: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(record).sort(([a], [b]) => compareNames(a, b));
