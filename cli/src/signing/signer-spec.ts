/**
 * How a private key is named without saying it: `file:PATH`, `env:NAME`, `agent:SHA256:...` or `agent:VKEY`,
 * `command:FILE`. A word without such a beginning is the path of a key file. Secrets are in none of them.
 * @module
 */
import { resolve } from "node:path";

import { badValue } from "../frame/given.ts";

/** Where a private key is. */
export type SignerSpec =
  /** A private key file. */
  | { readonly kind: "file"; readonly path: string }
  /** An environment variable that holds the text of a private key. */
  | { readonly kind: "env"; readonly name: string }
  /** An ssh-agent that holds an Ed25519 key: its fingerprint as ssh-keygen prints it, or its public key as a vkey. */
  | { readonly kind: "agent"; readonly key: string }
  /** A program that signs, described in a file. */
  | { readonly kind: "command"; readonly path: string };

const EXPECTED = "file:PATH, env:NAME, agent:SHA256:FINGERPRINT, agent:VKEY or command:FILE";
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const VKEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/;

/** Reads a spec; throws a usage failure that never quotes it, for it may be a key pasted by mistake. */
export function parseSignerSpec(text: string, flag = "the key"): SignerSpec {
  const colon = text.indexOf(":");
  const [kind, rest] = [text.slice(0, colon), text.slice(colon + 1)];
  if (text.startsWith("PRIVATE+KEY+"))
    throw refused(flag, "a private key, which does not belong on a command line");
  switch (kind) {
    case "file":
    case "command":
      if (rest === "" || rest.includes("\0")) throw refused(flag, `${kind}: without a path`);
      return { kind, path: rest };
    case "env":
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(rest))
        throw refused(flag, "env: without the name of a variable");
      return { kind, name: rest };
    case "agent":
      if (!FINGERPRINT.test(rest) && !VKEY.test(rest))
        throw refused(flag, "agent: without SHA256:FINGERPRINT (ssh-add -l prints it) or a public key");
      return { kind, key: rest };
    default:
      if (text === "") throw refused(flag, "nothing");
      return { kind: "file", path: text };
  }
}

/** The text of a spec: the mirror of {@link parseSignerSpec}. */
export function formatSignerSpec(spec: SignerSpec): string {
  switch (spec.kind) {
    case "file":
    case "command":
      return `${spec.kind}:${spec.path}`;
    case "env":
      return `env:${spec.name}`;
    case "agent":
      return `agent:${spec.key}`;
  }
}

/** The spec with its path as it is from anywhere. */
export function resolveSpec(spec: SignerSpec, base: string): SignerSpec {
  return spec.kind === "file" || spec.kind === "command" ? { ...spec, path: resolve(base, spec.path) } : spec;
}

const refused = (flag: string, found: string): ReturnType<typeof badValue> => badValue(flag, EXPECTED, found);
