/**
 * What an enclave runs, as whom and where: config.md of the OCI image-spec for the meaning of Entrypoint, Cmd, Env,
 * WorkingDir and User, and the enclave's init for how it is written: files of one value a line.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import { byteTextOf } from "./byte-text.ts";
import type { DirectoryNode } from "./file-tree.ts";
import type { FindingList } from "./finding-list.ts";
import type { ImageConfig, RamdiskOptions } from "./image.ts";
import { findUser, type Owner, type ReadFile } from "./image-users.ts";
import { findDirectory, partsOf, PlaceError } from "./tree-place.ts";

/** The files beside the root folder that tell init what to run; `cwd` and `user` only where they are not `/` and root. */
export type RunFiles = Readonly<Partial<Record<"cmd" | "env" | "cwd" | "user", string>>>;

/** What the settings are read with. */
export interface RunContext {
  readonly root: DirectoryNode;
  readonly readFile: ReadFile;
  readonly findings: FindingList;
  /** What errors name. */
  readonly file: string;
}

type Settings = Pick<RamdiskOptions, "argv" | "cmd" | "env" | "cwd" | "user">;

/** The files for init; makes the working folder where the image lacks it. Throws {@link BuildError} BP-IMAGE-016 to 018. */
export function makeRunFiles(
  config: ImageConfig | undefined,
  settings: Settings,
  context: RunContext,
): RunFiles {
  const { file } = context;
  const argv = settings.cmd ?? argumentsOf(config, settings.argv ?? "oci", context);
  if (argv.length === 0)
    throw new BuildError("BP-IMAGE-016", "nothing says which program to run", {
      file,
      hint: "give cmd in the recipe, or build the image with ENTRYPOINT or CMD",
    });
  const env = settings.env ?? config?.env ?? [];
  for (const variable of env) checkVariable(variable, file);
  const cwd = workingFolder(settings.cwd ?? config?.workingDir ?? "", context);
  const user = findUser(settings.user ?? config?.user ?? "", context);
  return {
    cmd: lines(argv, "an argument", file),
    env: lines(env, "a variable", file),
    ...(cwd === "/" ? {} : { cwd: lines([cwd], "the working folder", file) }),
    ...(isRoot(user) ? {} : { user: `${user.uid}:${user.gid}\n` }),
  };
}

const isRoot = ({ uid, gid }: Owner): boolean => uid === 0 && gid === 0;

/** OCI runs ENTRYPOINT with CMD behind it; nitro-cli takes CMD, and ENTRYPOINT only when there is no CMD. */
function argumentsOf(
  config: ImageConfig | undefined,
  way: "oci" | "nitro-cli",
  { findings }: RunContext,
): readonly string[] {
  const { entrypoint = [], cmd = [] } = config ?? {};
  const oci = [...entrypoint, ...cmd];
  const nitro = cmd.length > 0 ? cmd : entrypoint;
  if (way === "nitro-cli") return nitro;
  if (oci.length !== nitro.length)
    findings.add(
      "BP-IMAGE-103",
      `runs ${oci.map(quote).join(" ")}; nitro-cli would run ${nitro.map(quote).join(" ")}`,
    );
  return oci;
}

function checkVariable(variable: string, file: string): void {
  if (variable.indexOf("=") < 1)
    throw new BuildError("BP-IMAGE-017", "an environment variable without name or value", {
      file,
      expected: "NAME=VALUE",
      found: quote(variable),
    });
}

function lines(values: readonly string[], what: string, file: string): string {
  for (const value of values)
    if (/[\n\0]/.test(value))
      throw new BuildError("BP-IMAGE-017", `${what} holds a line break or a zero byte`, {
        file,
        found: quote(value),
        hint: "init reads one value a line: encode it, or put it in a file of the image",
      });
  return values.map((value) => `${value}\n`).join("");
}

/** An absolute path without `.` and `..`; runtimes make the folder when the image lacks it, and so do we. */
function workingFolder(path: string, { root, file }: RunContext): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const cwd = `/${parts.join("/")}`;
  if (Buffer.byteLength(cwd) > 4095 || cwd.includes("\0"))
    throw new BuildError("BP-IMAGE-017", "the working folder is no path", { file, found: quote(cwd) });
  try {
    findDirectory(root, partsOf(byteTextOf(cwd)), () => undefined);
  } catch (cause) {
    if (!(cause instanceof PlaceError)) throw cause;
    throw new BuildError("BP-IMAGE-011", `the working folder ${quote(cwd)} cannot be: ${cause.message}`, {
      file,
    });
  }
  return cwd;
}
