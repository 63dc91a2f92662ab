/**
 * The witnesses that a log asks before it publishes: the policy that lies with its private state, and the network.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { formatVkey } from "@bootproof/bytes";
import {
  MAX_ADD_CHECKPOINT_SIZE,
  parseLogPolicy,
  singleLogPolicy,
  WitnessPanel,
  type LogPolicy,
  type ObjectStore,
  type ProofQuestion,
  type WitnessNetwork,
  type WitnessResponse,
} from "@bootproof/log";

import { reading } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { errno, readInput, writeAnswer } from "../frame/files.ts";
import { readBody } from "./read-body.ts";

const POLICY_FILE = "policy";
const MAX_POLICY = 2 ** 20;
/** How long one witness may take to answer one request. */
const REQUEST_MS = 5_000;
/** How long a checkpoint waits for its quorum. */
const PATIENCE_MS = 10_000;
/** A checkpoint with many cosignatures, which a witness shows to monitors. */
const MAX_ANSWER = MAX_ADD_CHECKPOINT_SIZE * 2;

/** How a log's witnesses are asked, and where its keys and stores find their secrets. */
export interface Witnessing {
  readonly env?: Context["env"];
  readonly offline?: boolean;
  /** Without it, a log whose policy asks for witnesses is not written to. */
  readonly network?: WitnessNetwork;
  /** Becomes the log's policy: its text and where it came from. */
  readonly policy?: { readonly file: string; readonly bytes: Uint8Array };
}

/** Witnesses over the network, unless that may not be used; and the policy file named, if any. */
export async function readWitnessing(
  context: Pick<Context, "env" | "options" | "signal">,
  policyFile?: string,
): Promise<Witnessing> {
  const { env, options } = context;
  const network = options.offline ? {} : { network: fetchNetwork(context.signal) };
  const surroundings = { env, offline: options.offline, ...network };
  if (policyFile === undefined) return surroundings;
  return { ...surroundings, policy: { file: policyFile, bytes: await readInput(policyFile, MAX_POLICY) } };
}

/** Whose witnesses they are. */
export interface WitnessedLog {
  /** The folder with its policy. */
  readonly hidden: string;
  /** Public halves of all its keys, an Ed25519 key first. */
  readonly keys: readonly string[];
}

/** The witnesses of a log; undefined when its policy asks for none. */
export async function openWitnesses(
  { hidden, keys }: WitnessedLog,
  staging: ObjectStore,
  { network, policy: given }: Witnessing,
): Promise<WitnessPanel | undefined> {
  const file = join(hidden, POLICY_FILE);
  const bytes = given?.bytes ?? (await readFile(file).catch(absent));
  if (bytes === undefined) return undefined;
  const policy = reading(given?.file ?? file, () => parseLogPolicy(new Uint8Array(bytes)));
  refuseOtherLogs(policy, keys, given?.file ?? file);
  const panel = policy.quorum === "none" ? undefined : openPanel(policy, keys, staging, network);
  // Kept only once it is known to be one that this log can follow.
  if (given !== undefined) await writeAnswer(file, given.bytes);
  return panel;
}

/** What a verifier asks of a proof from this log: its key, and its witnesses when it has any. */
export function proofPolicy(logKey: string, panel: WitnessPanel | undefined): ProofQuestion["policy"] {
  return panel === undefined ? { logKey } : { ...singleLogPolicy(logKey), ...panel.policy };
}

/** The witnesses as k of n keys; undefined when there are none, or when the quorum has groups within groups. */
export function witnessRule(
  panel: WitnessPanel | undefined,
): { readonly need: number; readonly keys: readonly string[] } | undefined {
  const quorum = panel?.policy.quorum ?? "none";
  if (quorum === "none") return undefined;
  const members = quorum.kind === "witness" ? [quorum] : quorum.members;
  const keys = members.flatMap((member) => (member.kind === "witness" ? [formatVkey(member.vkey)] : []));
  if (keys.length < members.length) return undefined;
  return { need: quorum.kind === "witness" ? 1 : quorum.threshold, keys };
}

/** Says on stderr which witnesses did not cosign. */
export function noteWitnesses(context: Context, panel: WitnessPanel | undefined): void {
  for (const { names, url, outcome, reason } of panel?.outcomes ?? [])
    if (outcome !== "cosigned")
      context.note(`witness ${names.join(", ")} (${url}) did not cosign: ${reason}`);
}

function openPanel(
  policy: LogPolicy,
  logKeys: readonly string[],
  staging: ObjectStore,
  network: WitnessNetwork | undefined,
): WitnessPanel {
  if (network === undefined) {
    const hint = "run without --offline";
    throw new Failure("BP-NET-001", EXIT.unavailable, "this log's policy asks for witnesses", { hint });
  }
  return new WitnessPanel({ policy, logKeys, network, staging, patience: PATIENCE_MS });
}

function refuseOtherLogs({ logs }: LogPolicy, keys: readonly string[], file: string): void {
  const named = logs.map((log) => formatVkey(log.vkey));
  if (named.length === 0 || named.some((key) => keys.includes(key))) return;
  throw new Failure("BP-USAGE-002", EXIT.usage, "the policy is for other logs", {
    file,
    expected: keys.join(" or "),
    found: named.join(", "),
    hint: "name this log's key in the policy, or none",
  });
}

function fetchNetwork(signal: AbortSignal): WitnessNetwork {
  return {
    request: async (url, body) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
      const sent = body === undefined ? {} : { method: "POST", body: body.slice() };
      return readResponse(await fetch(url, { ...sent, signal: limit, redirect: "error" }));
    },
    after: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

async function readResponse(response: Response): Promise<WitnessResponse> {
  const tooMuch = (): Error => new Error(`it answers more than ${String(MAX_ANSWER)} bytes`);
  const body = await readBody(response, MAX_ANSWER, tooMuch);
  const contentType = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  return { status: response.status, contentType, body };
}

function absent(error: unknown): undefined {
  if (errno(error) === "ENOENT") return undefined;
  throw error;
}
