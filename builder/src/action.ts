/**
 * A hermetic build as a Remote Execution API v2 Action: everything that decides its outcome is in the input root (the
 * toolchain, the sources, the steps and their environment, the sandbox itself) or in the command. Its digest is the
 * build's identity. A worker needs no privilege but user namespaces to run it as it stands.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import type { BuildingLock, LockedSource } from "./lock.ts";
import { buildMerkleTree, type MerkleTree } from "./merkle.ts";
import type { BuildingRecipe } from "./recipe.ts";
import { encodeAction, encodeCommand, remoteDigestOf, type RemoteDigest } from "./remote-execution.ts";
import { ENTER_SCRIPT, RUN_SCRIPT, SCRIPTS_FOLDER } from "./sandbox-scripts.ts";
import type { ToolchainRoot } from "./toolchain-root.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/** Folder of the input root that becomes /build; REAPI output paths are relative to it. */
export const BUILD_FOLDER = "build";
/** A build may take this long. */
export const DEFAULT_TIMEOUT_SECONDS: number = 4 * 60 * 60;

/** A small file of the input root that is made here, not fetched. */
export interface ActionFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** An action with everything that an executor needs to run it. */
export interface PreparedAction {
  readonly digest: RemoteDigest;
  /** The Action and Command messages, for a remote store. */
  readonly action: Uint8Array;
  readonly command: Uint8Array;
  readonly inputRoot: RemoteDigest;
  readonly toolchain: ToolchainRoot;
  readonly sources: readonly LockedSource[];
  readonly files: readonly ActionFile[];
  readonly steps: readonly string[];
  /** Output name -> path below the build folder. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly sourceDateEpoch: string;
}

/** Makes the action of a recipe and its lock, with the toolchain's tree. */
export function prepareAction(
  recipe: BuildingRecipe,
  lock: BuildingLock,
  toolchain: ToolchainRoot,
  timeoutSeconds: number = DEFAULT_TIMEOUT_SECONDS,
): PreparedAction {
  const files = actionFiles(recipe, toolchain);
  const inputRoot = inputRootOf(toolchain.tree, lock.sources, files).root;
  const outputs = Object.fromEntries(Object.entries(recipe.outputs).map(([name, { path }]) => [name, path]));
  const command = encodeCommand({
    arguments: ["/bin/sh", `../${SCRIPTS_FOLDER}/enter`],
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    outputPaths: [...new Set(Object.values(outputs))],
    workingDirectory: BUILD_FOLDER,
  });
  const action = encodeAction({
    command: remoteDigestOf(command),
    inputRoot,
    timeoutSeconds,
    platform: { ISA: "x86-64", OSFamily: "linux" },
  });
  return {
    digest: remoteDigestOf(action),
    action,
    command,
    inputRoot,
    toolchain,
    sources: lock.sources,
    files,
    steps: recipe.steps.map(({ name }) => name),
    outputs,
    timeoutSeconds,
    sourceDateEpoch: environmentOf(recipe, toolchain)["SOURCE_DATE_EPOCH"] ?? DEFAULT_SOURCE_DATE_EPOCH,
  };
}

/** The whole input root: the toolchain with the sources and the action's own files in it. */
export function inputRootOf(
  toolchain: Tree,
  sources: readonly LockedSource[],
  files: readonly ActionFile[],
): MerkleTree {
  const tree = new Map<string, TreeEntry>(toolchain);
  for (const { name, size, sha256: hash } of sources)
    tree.set(`source/${name}`, { type: "file", size, sha256: hash, executable: false });
  tree.set(SCRIPTS_FOLDER, { type: "directory" });
  tree.set(`${SCRIPTS_FOLDER}/steps`, { type: "directory" });
  for (const { path, text, executable } of files) {
    const bytes = utf8(text);
    tree.set(path, { type: "file", size: bytes.length, sha256: formatHex(sha256(bytes)), executable });
  }
  return buildMerkleTree(tree);
}

function actionFiles(recipe: BuildingRecipe, toolchain: ToolchainRoot): ActionFile[] {
  const width = String(recipe.steps.length).length;
  return [
    { path: `${SCRIPTS_FOLDER}/enter`, text: ENTER_SCRIPT, executable: true },
    { path: `${SCRIPTS_FOLDER}/run`, text: RUN_SCRIPT, executable: true },
    {
      path: `${SCRIPTS_FOLDER}/env`,
      text: formatEnvironment(environmentOf(recipe, toolchain)),
      executable: false,
    },
    ...recipe.steps.map(({ name, run }, index) => ({
      path: `${SCRIPTS_FOLDER}/steps/${String(index + 1).padStart(width, "0")}-${name}`,
      text: run,
      executable: false,
    })),
  ];
}

const DEFAULT_SOURCE_DATE_EPOCH = "315532800";

/** What every step finds in its environment; the recipe may add to it and replace it. */
function environmentOf(recipe: BuildingRecipe, { fakeTime }: ToolchainRoot): Record<string, string> {
  const epoch = recipe.env["SOURCE_DATE_EPOCH"] ?? DEFAULT_SOURCE_DATE_EPOCH;
  return {
    HOME: "/nonexistent",
    LC_ALL: "C.UTF-8",
    PATH: "/usr/sbin:/usr/bin",
    SOURCE_DATE_EPOCH: epoch,
    TZ: "UTC",
    ...clockEnvironment(fakeTime, epoch),
    ...recipe.env,
  };
}

/**
 * libfaketime's settings (its README, section 4): the wall clock stands still at `epoch`, whatever the time zone.
 * The monotonic clock runs, so that waiting works; files keep their real times, because make must see which is newer.
 */
function clockEnvironment(library: string, epoch: string): Record<string, string> {
  return {
    FAKETIME: epoch,
    FAKETIME_DISABLE_SHM: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    FAKETIME_FMT: "%s",
    LD_PRELOAD: library,
    NO_FAKE_STAT: "1",
  };
}

/** Assignments for a shell, sorted by name. */
function formatEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
}
