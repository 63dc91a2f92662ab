/**
 * Asks one witness to cosign a checkpoint, from the size that it cosigned last: C2SP tlog-witness, the log's side.
 * A witness is believed only as far as its signatures verify.
 * @module
 */
import { parseDecimal, ParseError, parseUtf8, quote, type Sha256 } from "@bootproof/bytes";
import { LogError } from "./log-error.ts";
import { checkSignatures, parseNote, parseSignatureLines, type NoteSignature } from "./note.ts";
import { noteVerifier, noteVerifiers } from "./verifier.ts";
import type { PolicyWitness } from "./log-policy.ts";
import { ADD_CHECKPOINT_PATH, formatAddCheckpoint } from "./witness-request.ts";
import { originHash, TREE_SIZE_TYPE } from "./witness.ts";
import { openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";

/** The network as it is handed in. */
export interface WitnessNetwork {
  /**
   * Posts `body`, or gets when there is none. Rejects when nothing answers in time; must not wait for ever, and not read
   * answers without bound.
   */
  request(url: string, body?: Uint8Array): Promise<WitnessResponse>;
  /** Resolves after so many milliseconds. */
  after(milliseconds: number): Promise<void>;
}

/** An answer over the network. */
export interface WitnessResponse {
  readonly status: number;
  /** The content type without parameters; empty when there was none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** One witness of a policy, or several that share an address. */
export interface WitnessAddress {
  /** Submission prefix. */
  readonly url: string;
  readonly witnesses: readonly PolicyWitness[];
}

/** What to ask. */
export interface WitnessQuestion {
  readonly size: bigint;
  /** The checkpoint with the log's own signature only. */
  readonly note: Uint8Array;
  /** Size that the witness is thought to have cosigned last. */
  readonly oldSize: bigint;
  /** Consistency proof from a smaller size. */
  readonly proofFrom: (size: bigint) => Promise<readonly Sha256[]>;
}

/** What came of asking one witness. */
export type WitnessReply =
  | { readonly outcome: "cosigned"; readonly lines: readonly NoteSignature[] }
  /** Nothing usable came back: to be asked again another time. */
  | { readonly outcome: "unavailable"; readonly reason: string }
  /** It says to have cosigned what contradicts this checkpoint, or a larger one. */
  | { readonly outcome: "contradicts"; readonly reason: string };

/** Times that a witness may say it stands elsewhere before we stop following it. */
const MAX_TRIES = 4;
/** Wait before the next try in milliseconds, five times as long each time. */
const FIRST_WAIT = 10;
const MAX_WAIT = 250;

/** Asks the witness at one address; throws only when a proof cannot be made. */
export async function askWitness(
  network: WitnessNetwork,
  address: WitnessAddress,
  question: WitnessQuestion,
): Promise<WitnessReply> {
  let { oldSize } = question;
  for (let tries = 0, wait = FIRST_WAIT; tries < MAX_TRIES; tries++, wait = Math.min(wait * 5, MAX_WAIT)) {
    if (tries > 0) await network.after(wait);
    const body = formatAddCheckpoint({
      oldSize,
      proof: await question.proofFrom(oldSize),
      note: question.note,
    });
    const response = await attempt(() => network.request(join(address.url, ADD_CHECKPOINT_PATH), body));
    if (typeof response === "string") return { outcome: "unavailable", reason: response };
    if (response.status === 200) return readLines(address, question.note, response.body);
    const stands = response.status === 409 ? readSize(response) : undefined;
    if (stands === undefined) return refused(response);
    if (stands > question.size)
      return { outcome: "contradicts", reason: `it says to have cosigned the larger size ${stands}` };
    oldSize = stands;
  }
  return { outcome: "unavailable", reason: "it names another size each time it is asked" };
}

/** What a witness shows to everyone. */
export interface WitnessedView {
  /** Why it could not be asked. */
  readonly unreachable?: string;
  /** Its latest checkpoint of the log, when the log itself signed it: the only word of a witness that convicts a log. */
  readonly checkpoint?: SignedCheckpoint;
}

/** Asks for the latest checkpoint that a witness has seen of a log. */
export async function fetchWitnessed(
  network: WitnessNetwork,
  url: string,
  logKeys: readonly string[],
  origin: string,
): Promise<WitnessedView> {
  const response = await attempt(() => network.request(join(url, `${originHash(origin)}/checkpoint`)));
  if (typeof response === "string") return { unreachable: response };
  if (response.status !== 200) return {};
  try {
    return { checkpoint: openCheckpoint(response.body, noteVerifiers(logKeys), origin) };
  } catch (error) {
    if (error instanceof ParseError || error instanceof LogError) return {};
    throw error;
  }
}

function readLines({ witnesses }: WitnessAddress, note: Uint8Array, body: Uint8Array): WitnessReply {
  try {
    const { unverifiedText } = parseNote(note);
    const lines = parseSignatureLines(body);
    const good = witnesses.flatMap(({ vkey }) => {
      const verifier = noteVerifier(vkey);
      const line = lines.find((candidate) => {
        const signed = checkSignatures({ unverifiedText, signatures: [candidate] }, [verifier]).verified[0];
        // A time of zero says nothing about when this was the largest tree.
        return signed?.timestamp !== undefined && signed.timestamp > 0n;
      });
      return line === undefined ? [] : [line];
    });
    return good.length > 0
      ? { outcome: "cosigned", lines: good }
      : { outcome: "unavailable", reason: "its answer has no line that verifies with its key" };
  } catch (error) {
    if (error instanceof ParseError) return { outcome: "unavailable", reason: error.message };
    throw error;
  }
}

function refused({ status, body }: WitnessResponse): WitnessReply {
  const reason = `it answers ${status}: ${quote(asText(body).slice(0, 200).trim())}`;
  return { outcome: status === 409 || status === 422 ? "contradicts" : "unavailable", reason };
}

function readSize({ contentType, body }: WitnessResponse): bigint | undefined {
  const text = asText(body);
  // Witnesses of before 2024 said text/plain; what counts is a size and nothing else.
  if (contentType !== TREE_SIZE_TYPE && contentType !== "text/plain") return undefined;
  try {
    return text.endsWith("\n") ? parseDecimal(text.slice(0, -1), "witness size") : undefined;
  } catch {
    return undefined;
  }
}

function asText(bytes: Uint8Array): string {
  try {
    return parseUtf8(bytes, "witness answer");
  } catch {
    return "";
  }
}

const join = (prefix: string, path: string): string => `${prefix.replace(/\/+$/, "")}/${path}`;

/** What the network answered, or why it did not. */
async function attempt(ask: () => Promise<WitnessResponse>): Promise<WitnessResponse | string> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
