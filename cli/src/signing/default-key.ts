/**
 * The user's own signing key: `--key`, or one that is made on first use in the user's configuration.
 * @module
 */
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

import { signerOf, type Signer } from "@bootproof/bytes/signing";

import type { Context } from "../frame/context.ts";
import { readSigner } from "./key-file.ts";
import { newKey } from "./key-use.ts";
import { openSpec } from "./open-signer.ts";
import { parseSignerSpec } from "./signer-spec.ts";

/** A signer, and the file that its key is in, or the spec that names it. */
export interface OwnSigner {
  readonly signer: Signer;
  readonly file: string;
  /** Whether the key was made just now. */
  readonly fresh: boolean;
}

/** Opens the key named, or else the user's own, made on first use. */
export async function openSigner(context: Context, named: string | undefined): Promise<OwnSigner> {
  if (named !== undefined) {
    const surroundings = { env: context.env, base: context.cwd };
    const signer = await openSpec(parseSignerSpec(named, "--key"), surroundings, { role: "signer" });
    return { signer, file: named, fresh: false };
  }
  const file = defaultKeyFile(context.env);
  const there = await stat(file).then(
    () => true,
    () => false,
  );
  if (there) return { signer: await readSigner(file), file, fresh: false };
  return { signer: signerOf(await newKey(file, { role: "signer" })), file, fresh: true };
}

/** Where the user's own key lies (XDG Base Directory Specification 0.8). */
export function defaultKeyFile(env: Context["env"]): string {
  const config = env["XDG_CONFIG_HOME"];
  const home = env["HOME"];
  const base =
    config !== undefined && isAbsolute(config)
      ? config
      : join(home !== undefined && isAbsolute(home) ? home : homedir(), ".config");
  return join(base, "bootproof", "signing.key");
}
