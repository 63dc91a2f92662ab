import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { buildMerkleTree } from "./merkle.ts";
import { encodeAction, encodeCommand, encodeDirectory, remoteDigestOf } from "./remote-execution.ts";
import type { TreeEntry } from "./tree.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const file = (bytes: Uint8Array, executable = false): TreeEntry => ({
  type: "file",
  size: bytes.length,
  sha256: formatHex(sha256(bytes)),
  executable,
});
const hello = utf8("hello\n");

/** A tree with every kind of node, and names whose order differs between UTF-8 and UTF-16. */
const entries: [string, TreeEntry][] = [
  ["\u{1f600}", file(hello)],
  ["\u{ff5e}", file(new Uint8Array())],
  ["Z", file(new Uint8Array(300))],
  ["a", file(hello)],
  ["bin", { type: "directory" }],
  ["bin/tool", file(hello, true)],
  ["empty", { type: "directory" }],
  ["link", { type: "symlink", target: "bin/tool" }],
];

// The digests below were made with protobuf.js 8 from the API's field numbers, children sorted by hand.
const TREE = { hash: "ad8ae41d90f098adf3695648a0a36e9ea912d691ceccad3643703d31f6aa88cd", size: 476 };
const command = {
  arguments: ["/bin/sh", "", "x"],
  environment: { B: "2", A: "1" },
  outputPaths: ["b/c", "a"],
  workingDirectory: "build",
};

describe("the Merkle tree of an input root", () => {
  it("names the empty root as every implementation does", () => {
    expect(buildMerkleTree(new Map()).root).toEqual({ hash: EMPTY, size: 0 });
  });

  it("is the one that another encoder makes", () => {
    const { root, messages } = buildMerkleTree(new Map(entries));
    expect(root).toEqual(TREE);
    expect([...messages.keys()].sort()).toEqual(
      ["9b95c840ffb54671efe5d0f02b4d3c0db3a87f045dba9569524caa3261add514", EMPTY, TREE.hash].sort(),
    );
  });

  it("does not depend on the order in which entries are given", () => {
    expect(buildMerkleTree(new Map(entries.toReversed())).root).toEqual(TREE);
  });

  it.each<[string, string, TreeEntry]>([
    ["content", "a", file(utf8("Hello\n"))],
    ["executable bit", "a", file(hello, true)],
    ["link target", "link", { type: "symlink", target: "bin/other" }],
    ["kind", "empty", file(new Uint8Array())],
  ])("changes with the %s of one entry", (_, path, entry) => {
    expect(buildMerkleTree(new Map([...entries, [path, entry]])).root).not.toEqual(TREE);
  });

  it("refuses an entry that lies in no directory", () => {
    expect(() => buildMerkleTree(new Map([["a/b", file(hello)]]))).toThrow(RangeError);
    expect(() => buildMerkleTree(new Map([...entries, ["link/b", file(hello)]]))).toThrow(RangeError);
  });

  it("refuses a name that stands twice in a directory", () => {
    const node = { name: "a", target: "b" };
    expect(() => encodeDirectory({ files: [], directories: [], symlinks: [node, node] })).toThrow(RangeError);
  });
});

describe("an action's messages", () => {
  const commandDigest = remoteDigestOf(encodeCommand(command));

  it("sort the environment and the output paths", () => {
    expect(commandDigest.hash).toBe("87a935dbbaa9d09697e3d51d3274b6cea123b06e048e7c76ceffae74af5ca980");
  });

  it("are those that another encoder makes", () => {
    const platform = { OSFamily: "linux", ISA: "x86-64" };
    const action = encodeAction({
      command: commandDigest,
      inputRoot: TREE,
      timeoutSeconds: 14_400,
      platform,
    });
    expect(remoteDigestOf(action)).toEqual({
      hash: "a532b14881f54b8b971a5ed6712320d8d7c4a1ed886b7444ab0805d374ab5610",
      size: 182,
    });
  });

  it("leave out a platform without properties", () => {
    const action = encodeAction({ command: commandDigest, inputRoot: TREE, timeoutSeconds: 0, platform: {} });
    expect(remoteDigestOf(action).hash).toBe(
      "c72768545bd891fec3ee08f797aef105d4f23f8dbba0cec45069a1cf0438ef73",
    );
  });
});
