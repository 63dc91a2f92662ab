/**
 * A witness: it cosigns a log's checkpoint when that is consistent with all it has cosigned before, so that a log
 * cannot show different trees to different people. C2SP tlog-witness v1.0.0 with the clarifications of July 2026.
 *
 * Its whole memory is one compare-and-swap value a log: the last checkpoint it cosigned. That moves before a
 * cosignature leaves, and only from the value that the proof was checked against.
 * @module
 */
import { equalBytes, formatHex, ParseError, parseVkey, sha256, utf8 } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import { corruptObject } from "./authenticated-tiles.ts";
import { openCheckpoint, parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { verifyConsistency, type TreeHead } from "./consistency.ts";
import { cosign } from "./cosignature.ts";
import { LogError } from "./log-error.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import {
  checkSignatures,
  formatNote,
  formatSignatureLine,
  parseNote,
  type NoteSignature,
  type NoteVerifier,
  type UntrustedNote,
} from "./note.ts";
import type { HeadStore } from "./storage.ts";
import { noteVerifiers } from "./verifier.ts";
import { parseAddCheckpoint, type AddCheckpoint } from "./witness-request.ts";

/** Content type of the size that a witness answers when it has cosigned another tree than was thought. */
export const TREE_SIZE_TYPE = "text/x.tlog.size";

/** How often another request may overtake this one before it gives up; each time the log has moved. */
const MAX_ROUNDS = 32;

/** More lines of one key than this are no honest log's. */
const MAX_LINES_OF_KEY = 4;

/** What a witness answers. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 503;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Origin and size that were asked about, when the request said so. */
  readonly about?: { readonly origin: string; readonly size: bigint };
}

/** What a witness is made of. */
export interface WitnessOptions {
  /** Its keys: each adds a line to an answer. */
  readonly signers: readonly Signer[];
  /** The vkeys that may sign for an origin; undefined for a log it does not know. */
  readonly logKeys: (origin: string) => readonly string[] | undefined;
  /** What it remembers of the log of that origin. */
  readonly memory: (origin: string) => Promise<Pick<HeadStore, "read" | "compareAndSwap">>;
  /** POSIX seconds. */
  readonly now: () => bigint;
  /** The answer to a second root at one size: 422, or 409 as tlog-witness said before July 2026. */
  readonly otherRootStatus?: 409 | 422;
}

/** The name under which a log's latest cosigned checkpoint is served: the hex SHA-256 of its origin. */
export const originHash = (origin: string): string => formatHex(sha256(utf8(origin)));

/** A witness of the logs it knows. */
export class Witness {
  readonly #options: WitnessOptions;

  constructor(options: WitnessOptions) {
    if (options.signers.length === 0) throw new RangeError("a witness has at least one key");
    this.#options = options;
  }

  /** Answers an add-checkpoint request; throws only when its memory fails or is damaged. */
  async addCheckpoint(body: Uint8Array): Promise<WitnessAnswer> {
    const read = readRequest(body);
    if (read instanceof ParseError) return refusal(400, read.message);
    const { checkpoint, request, note } = read;
    const about = { origin: checkpoint.origin, size: checkpoint.size };
    const answer = await this.#answer(request, checkpoint, note);
    return { ...answer, about };
  }

  /** The latest checkpoint that it cosigned, with its cosignatures; undefined when there is none. */
  async latest(origin: string): Promise<Uint8Array | undefined> {
    const keys = this.#options.logKeys(origin);
    return keys === undefined ? undefined : (await this.#remember(origin, keys)).note;
  }

  async #answer(request: AddCheckpoint, checkpoint: Checkpoint, note: UntrustedNote): Promise<WitnessAnswer> {
    const { origin, size } = checkpoint;
    const keys = this.#options.logKeys(origin);
    if (keys === undefined) return refusal(404, `unknown log: ${origin}`);
    const trusted = signedBy(note, noteVerifiers(keys));
    if (trusted === undefined)
      return refusal(403, "invalid signature: no trusted key of the log signed this");
    if (request.oldSize > size) return refusal(400, "old size is larger than the checkpoint's");
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const last = await this.#remember(origin, keys);
      if (request.oldSize !== last.size) return conflict(last.size);
      const fault = this.#fault(last, checkpoint, request);
      if (fault !== undefined) return fault;
      const lines = await this.#cosign(note.unverifiedText);
      const next = formatNote(note.unverifiedText, [...trusted, ...lines]);
      const memory = await this.#options.memory(origin);
      if ((await memory.compareAndSwap(last.generation, next)) === "committed") return cosigned(lines);
    }
    return refusal(503, "too many requests for this log at once");
  }

  #fault(last: TreeHead, next: Checkpoint, { proof }: AddCheckpoint): WitnessAnswer | undefined {
    if (next.size === last.size && !equalBytes(next.root, last.root))
      return refusal(this.#otherRootStatus(next), "another root at the size that was cosigned");
    return verifyConsistency(last, next, proof) ? undefined : refusal(422, "invalid consistency proof");
  }

  /** The root of the empty tree is known: another one is wrong, and contradicts nothing that was cosigned. */
  #otherRootStatus({ size }: Checkpoint): 409 | 422 {
    return size === 0n ? 422 : (this.#options.otherRootStatus ?? 422);
  }

  async #cosign(text: Uint8Array): Promise<readonly NoteSignature[]> {
    const now = this.#options.now();
    // Zero would say "no statement about time", which is not what was asked for.
    if (now <= 0n) throw new RangeError("the clock of a witness stands before 1970");
    return Promise.all(this.#options.signers.map((signer) => cosign(text, signer, now)));
  }

  async #remember(origin: string, logKeys: readonly string[]): Promise<Remembered> {
    const stored = await (await this.#options.memory(origin)).read();
    if (stored === undefined) return { generation: 0, size: 0n, root: EMPTY_ROOT };
    // Either key will do: the log's and the witness's are replaced at different times.
    const keys = [...logKeys, ...this.#options.signers.map(({ vkey }) => vkey)].map((key) => parseVkey(key));
    try {
      const { size, root } = openCheckpoint(stored.bytes, noteVerifiers(keys), origin);
      return { generation: stored.generation, size, root, note: stored.bytes };
    } catch (error) {
      throw damaged(error, origin);
    }
  }
}

interface Remembered extends TreeHead {
  readonly generation: number;
  readonly note?: Uint8Array;
}

interface ReadRequest {
  readonly request: AddCheckpoint;
  readonly note: UntrustedNote;
  readonly checkpoint: Checkpoint;
}

function readRequest(body: Uint8Array): ReadRequest | ParseError {
  try {
    const request = parseAddCheckpoint(body);
    const note = parseNote(request.note);
    return { request, note, checkpoint: parseCheckpoint(note.unverifiedText) };
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

/** The lines of trusted keys, one each; undefined when there is none or one that does not verify. */
function signedBy(note: UntrustedNote, verifiers: readonly NoteVerifier[]): NoteSignature[] | undefined {
  const lines = verifiers.map(({ vkey }) =>
    note.signatures.filter(({ name, keyId }) => name === vkey.name && keyId === vkey.keyId),
  );
  // Anyone may send a hundred lines under a known key's name, and each costs a verification.
  if (lines.some((ofKey) => ofKey.length > MAX_LINES_OF_KEY)) return undefined;
  const { verified, failed } = checkSignatures({ ...note, signatures: lines.flat() }, verifiers);
  if (failed.length > 0 || verified.length === 0) return undefined;
  return lines.flatMap((ofKey) => ofKey.slice(0, 1));
}

const refusal = (status: 400 | 403 | 404 | 409 | 422 | 503, reason: string): WitnessAnswer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body: utf8(`${reason}\n`),
});

const conflict = (size: bigint): WitnessAnswer => ({
  status: 409,
  contentType: TREE_SIZE_TYPE,
  body: utf8(`${size}\n`),
});

const cosigned = (lines: readonly NoteSignature[]): WitnessAnswer => ({
  status: 200,
  contentType: "text/plain; charset=utf-8",
  body: utf8(lines.map(formatSignatureLine).join("")),
});

function damaged(error: unknown, origin: string): unknown {
  if (!(error instanceof LogError)) return corruptObject(error, `memory of ${origin}`);
  return new LogError("CORRUPT_OBJECT", `the memory of ${origin} is not a checkpoint that was cosigned`, {
    file: `memory of ${origin}`,
    hint: "restore it; a witness that forgets can cosign a second tree",
    cause: error,
  });
}
