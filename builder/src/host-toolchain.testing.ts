/**
 * A toolchain for tests out of the programs of the machine they run on, packed into a package, so that the real chain
 * from a lock to its artifacts runs without a network. In place of the clock library stands
 * another that does nothing here: the clock is not fixed.
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { formatHex, sha256 } from "@bootproof/bytes";
import { DirectoryBlobs, Refs } from "@bootproof/store";
import { debWith, type TestEntry } from "./deb.testing.ts";
import type { BuildingLock } from "./lock.ts";
import type { LockedBuilding } from "./locked-recipe.ts";
import { requestOf } from "./lock-request.ts";
import { formatLock } from "./lock-text.ts";
import { parseRecipe } from "./recipe-text.ts";
import type { BuildStore } from "./toolchain-root.ts";

const PROGRAMS = [
  "bash",
  "cat",
  "cp",
  "env",
  "head",
  "id",
  "ln",
  "ls",
  "mkdir",
  "nproc",
  "sleep",
  "stat",
  "touch",
  "uname",
];

/** The package's entries: programs, and the libraries that ld.so says they need. */
function hostEntries(): TestEntry[] {
  const programs = PROGRAMS.map((name) => `/usr/bin/${name}`);
  const said = execFileSync("ldd", programs, { encoding: "utf8" });
  const libraries = new Set([...said.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path));
  return [
    ...[...programs, ...libraries].map((path) => ({
      name: path.slice(1),
      content: new Uint8Array(readFileSync(path)),
      mode: 0o755,
    })),
    {
      name: "usr/lib/test/faketime/libfaketime.so.1",
      content: new Uint8Array(readFileSync([...libraries].find((path) => path.includes("libtinfo")) ?? "")),
    },
  ];
}

/** Opens a store in `path` that holds the toolchain's package. */
export async function openTestStore(path: string): Promise<BuildStore> {
  const store = { path, blobs: await DirectoryBlobs.open(path), refs: await Refs.open(path) };
  await store.blobs.put(toolchain());
  return store;
}

let packed: Uint8Array<ArrayBuffer> | undefined;
const toolchain = (): Uint8Array<ArrayBuffer> => (packed ??= debWith(...hostEntries()));

/** A recipe whose text is given from `env` on, with the lock that answers it. */
export function testRecipe(
  rest: string,
  sources: BuildingLock["sources"] = [],
  file = "/nowhere/test",
): LockedBuilding {
  const text = [
    "name: test",
    'version: "1"',
    "source: []",
    "toolchain: {suite: trixie, packages: [bash]}",
    rest,
    "",
  ].join("\n");
  const recipe = parseRecipe(text, `${file}.recipe.yaml`);
  if (recipe.form !== "building") throw new Error("a building recipe is wanted");
  const bytes = toolchain();
  const lock: BuildingLock = {
    form: "building",
    request: requestOf(recipe),
    releases: [],
    packages: [
      {
        name: "host-tools",
        version: "1",
        arch: "amd64",
        size: bytes.length,
        sha256: formatHex(sha256(bytes)),
        path: "pool/main/h/host-tools/host-tools_1_amd64.deb",
      },
    ],
    sources,
  };
  const asFile = (
    path: string,
    content: Uint8Array,
  ): { path: string; bytes: Uint8Array; sha256: string } => ({
    path,
    bytes: content,
    sha256: formatHex(sha256(content)),
  });
  return {
    form: "building",
    recipe: { recipe, ...asFile(`${file}.recipe.yaml`, new TextEncoder().encode(text)) },
    lock: { lock, ...asFile(`${file}.lock.yaml`, new TextEncoder().encode(formatLock(lock))) },
  };
}

/** The end of a recipe with one step, `only`, and an output `out`. */
export const steps = (run: string, outputs = "out: {path: out, kind: file}"): string =>
  `steps:\n  - name: only\n    run: |\n${run.replaceAll(/^/gm, "      ")}\noutputs: {${outputs}}`;
