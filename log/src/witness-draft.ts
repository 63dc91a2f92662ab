/**
 * A checkpoint on its way to the public: what the log signed, and the cosignatures that have come so far.
 * @module
 */
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import type { PolicyWitness } from "./log-policy.ts";
import { checkSignatures, formatNote, parseNote, type NoteSignature } from "./note.ts";
import { noteVerifier, noteVerifiers } from "./verifier.ts";
import { MAX_HEAD_LENGTH } from "./witness-request.ts";

/** Witnesses read no larger request than this, in bytes: omniwitness says so. */
const MAX_REQUEST = 16_384;

/** A checkpoint and the cosignatures that it has got so far. */
export class WitnessDraft {
  readonly checkpoint: Checkpoint;
  readonly #text: Uint8Array;
  readonly #own: readonly NoteSignature[];
  readonly #witnesses: readonly PolicyWitness[];
  readonly #lines = new Map<PolicyWitness, NoteSignature>();
  /** Lines from before, which stay until there are new ones. */
  readonly #earlier: ReadonlyMap<PolicyWitness, NoteSignature> = new Map();

  constructor(note: Uint8Array, witnesses: readonly PolicyWitness[], fresh: boolean) {
    const { unverifiedText, signatures } = parseNote(note);
    this.#text = unverifiedText;
    this.checkpoint = parseCheckpoint(unverifiedText);
    this.#witnesses = witnesses;
    const cosigned = signatures.filter((line) => this.#witnessOf(line) !== undefined);
    this.#own = signatures.filter((line) => !cosigned.includes(line));
    this.add(cosigned);
    if (!fresh) return;
    this.#earlier = new Map(this.#lines);
    this.#lines.clear();
  }

  get count(): number {
    return this.#lines.size;
  }

  has(witness: PolicyWitness): boolean {
    return this.#lines.has(witness);
  }

  /** Takes lines that verify. */
  add(lines: readonly NoteSignature[]): void {
    for (const line of lines) {
      const witness = this.#witnessOf(line);
      if (witness === undefined) continue;
      const note = { unverifiedText: this.#text, signatures: [line] };
      if (checkSignatures(note, [noteVerifier(witness.vkey)]).verified.length > 0)
        this.#lines.set(witness, line);
    }
  }

  /** The note with every line, the witnesses' in the policy's order. */
  note(): Uint8Array {
    const lines = this.#witnesses.flatMap(
      (witness) => this.#lines.get(witness) ?? this.#earlier.get(witness) ?? [],
    );
    return formatNote(this.#text, [...this.#own, ...lines]);
  }

  /** The note with the log's signatures alone, as many as a witness reads. */
  signedBy(logKeys: readonly string[]): Uint8Array {
    const verifiers = noteVerifiers(logKeys);
    const own = this.#own.filter(({ name, keyId }) =>
      verifiers.some(({ vkey }) => vkey.name === name && vkey.keyId === keyId),
    );
    while (own.length > 1 && formatNote(this.#text, own).length + MAX_HEAD_LENGTH > MAX_REQUEST) own.pop();
    return formatNote(this.#text, own);
  }

  #witnessOf({ name, keyId }: NoteSignature): PolicyWitness | undefined {
    return this.#witnesses.find(({ vkey }) => vkey.name === name && vkey.keyId === keyId);
  }
}
