/**
 * Opens whatever signs: a key file, a variable of the environment, an ssh-agent, a program. One way for logs,
 * publishers, rebuilders and witnesses.
 * @module
 */
import { resolve } from "node:path";

import { parseSigningKey, signerOf, type Signer } from "@bootproof/bytes/signing";

import { reading } from "../errors/reading.ts";
import { readSigner } from "./key-file.ts";
import type { KeyUse } from "./key-use.ts";
import { noSigner } from "./signer-failure.ts";
import type { SignerSpec } from "./signer-spec.ts";

/** Where a spec is read. */
export interface SignerSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly base: string;
}

/** Opens the signer that a spec names; `use` names and types a key that brings neither. */
export async function openSpec(
  spec: SignerSpec,
  { env, base }: SignerSurroundings,
  use: KeyUse,
): Promise<Signer> {
  switch (spec.kind) {
    case "file":
      return readSigner(resolve(base, spec.path));
    case "env":
      return environmentSigner(spec.name, env[spec.name]);
    // Loaded when used: most keys are files.
    case "agent":
      return (await import("./agent-signer.ts")).openAgentSigner(spec.key, env, use);
    case "command":
      return (await import("./command-signer.ts")).openCommandSigner(resolve(base, spec.path), env);
  }
}

function environmentSigner(name: string, text: string | undefined): Signer {
  if (text === undefined || text.trim() === "")
    throw noSigner(
      "the environment holds no key",
      `a private key in ${name}`,
      `set ${name}, or name the key in another way`,
    );
  return signerOf(reading(`the variable ${name}`, () => parseSigningKey(text.trim())));
}
