/**
 * Signers whose key is in an ssh-agent: hardware tokens and smart cards too, without any code of theirs in here.
 * @module
 */
import { equalBytes, formatBase64, KEY_TYPE, parseVkey, sha256, type Vkey } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";

import { reading } from "../errors/reading.ts";
import {
  formatIdentitiesRequest,
  formatSignRequest,
  parseIdentities,
  parseSignature,
  type AgentIdentity,
} from "./agent-codec.ts";
import { askAgent } from "./agent-socket.ts";
import { checkedSigner } from "./checked-signer.ts";
import { nameKey, type KeyUse } from "./key-use.ts";
import { didNotSign, noSigner } from "./signer-failure.ts";

const SOCKET = "SSH_AUTH_SOCK";

/** Opens the Ed25519 key of the agent that has this fingerprint, or that is this public key. */
export async function openAgentSigner(
  key: string,
  env: Readonly<Record<string, string | undefined>>,
  use: KeyUse,
): Promise<Signer> {
  const path = env[SOCKET];
  if (path === undefined || path === "")
    throw noSigner("there is no ssh-agent", `${SOCKET} in the environment`, "start one: eval $(ssh-agent)");
  const wanted = key.startsWith("SHA256:") ? undefined : reading("the agent's key", () => parseVkey(key));
  const answer = await askAgent(path, formatIdentitiesRequest());
  const identities = reading("the ssh-agent's answer", () => parseIdentities(answer));
  const found = (identities ?? []).find((identity) =>
    wanted === undefined ? fingerprint(identity) === key : isKey(identity, wanted),
  );
  if (found?.ed25519 === undefined) throw noKey(key, identities ?? []);
  const vkey = wanted ?? nameKey(use, found.ed25519);
  return checkedSigner(vkey, (message) => sign(path, found.blob, message));
}

/** An SSH key as ssh-add and ssh-keygen name it. */
export const fingerprint = ({ blob }: Pick<AgentIdentity, "blob">): string =>
  `SHA256:${formatBase64(sha256(blob)).replace(/=+$/, "")}`;

async function sign(path: string, blob: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const answer = await askAgent(path, formatSignRequest(blob, message));
  const signature = reading("the ssh-agent's answer", () => parseSignature(answer));
  if (signature !== undefined) return signature;
  const hint = "it may be locked, or its owner said no: ssh-add -l";
  throw didNotSign("the ssh-agent refused to sign", "a refusal", hint);
}

const isKey = ({ ed25519 }: AgentIdentity, { type, publicKey }: Vkey): boolean =>
  type !== KEY_TYPE.mlDsa44 && ed25519 !== undefined && equalBytes(ed25519, publicKey);

function noKey(key: string, identities: readonly AgentIdentity[]): Error {
  const there = identities.filter(({ ed25519 }) => ed25519 !== undefined).map(fingerprint);
  const hint =
    there.length === 0
      ? "it holds no Ed25519 key; add one: ssh-add FILE"
      : `its Ed25519 keys are ${there.slice(0, 8).join(", ")}`;
  return noSigner("the ssh-agent does not hold this Ed25519 key", key, hint);
}
