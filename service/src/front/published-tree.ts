/**
 * The public tree, as everyone can read it: the checkpoint that lies there, checked, and proofs from its tiles, each
 * verified before it is handed out. So neither a damaged index nor a damaged tile can make a service promise an entry.
 * @module
 */
import { equalBytes, type Sha256 } from "@bootproof/bytes";
import {
  CHECKPOINT_PATH,
  fetchCheckpoint,
  formatTlogProof,
  leafHash,
  LogReader,
  noteVerifiers,
  verifyInclusion,
  verifyTlogProof,
  type FetchObject,
  type LogPolicy,
  type TlogProof,
} from "@bootproof/log";

/** Where the tree is, and whose word counts for it. */
export interface PublishedTreeOptions {
  readonly fetch: FetchObject;
  readonly origin: string;
  /** The log's keys, and the witnesses that must have cosigned. */
  readonly policy: LogPolicy;
}

/** An entry of the public tree, with the text that proves it. */
export interface Proven {
  readonly index: bigint;
  readonly entry: Uint8Array;
  readonly leafHash: Sha256;
  /** A `.tlog-proof` that carries the entry. */
  readonly proof: string;
}

interface Tree {
  readonly note: Uint8Array;
  readonly reader: LogReader;
  /** Whether a proof with this checkpoint has been verified by the whole policy. */
  accepted: boolean;
}

/** A proof that does not verify: the log's files are damaged, or its index is. */
export class Unproven extends Error {
  override readonly name = "Unproven";
}

/** The tree of the newest checkpoint that was needed. */
export class PublishedTree {
  readonly #options: PublishedTreeOptions;
  #tree: Tree | undefined;
  #reading: Promise<Tree> | undefined;

  constructor(options: PublishedTreeOptions) {
    this.#options = options;
  }

  /** The tree that is public now; throws LogError. */
  async reader(): Promise<LogReader> {
    return (await this.#read()).reader;
  }

  /** The entry at `index`, when the public tree reaches so far. */
  async entry(index: bigint): Promise<Uint8Array | undefined> {
    const { reader } = await this.#covering(index);
    return index < reader.head.size ? reader.entry(index) : undefined;
  }

  /** The proof of the entry at `index`; undefined while no public checkpoint covers it. Throws {@link Unproven}. */
  async prove(index: bigint, known?: Uint8Array): Promise<Proven | undefined> {
    const tree = await this.#covering(index);
    const { reader, note } = tree;
    if (index >= reader.head.size) return undefined;
    const [entry, hashes] = await Promise.all([known ?? reader.entry(index), reader.inclusionProof(index)]);
    const proof = { extra: entry, index, hashes, checkpoint: note };
    const leaf = leafHash(entry);
    if (!this.#accepts(tree, proof, leaf)) return undefined;
    return { index, entry, leafHash: leaf, proof: new TextDecoder().decode(formatTlogProof(proof)) };
  }

  /** The leaf hash at `index`, when the public tree reaches so far. */
  async leafHash(index: bigint): Promise<Sha256 | undefined> {
    const { reader } = await this.#covering(index);
    return index < reader.head.size ? reader.leafHash(index) : undefined;
  }

  /**
   * Whether a proof says yes. The signatures are the same for every proof of one checkpoint, so they are verified with
   * the first; false when too few witnesses have cosigned yet.
   */
  #accepts(tree: Tree, proof: TlogProof, leaf: Sha256): boolean {
    if (tree.accepted) {
      if (!verifyInclusion({ leaf, index: proof.index, ...tree.reader.head }, proof.hashes))
        throw new Unproven(`entry ${String(proof.index)} is not in the public tree`);
      return true;
    }
    const { answer, checks } = verifyTlogProof({ proof, policy: this.#options.policy });
    if (answer === "no")
      throw new Unproven(checks.find((check) => check.answer === "no")?.reason ?? "the proof says no");
    tree.accepted = answer === "yes";
    return tree.accepted;
  }

  /** A tree that covers `index`, or the one that is public now. */
  async #covering(index: bigint): Promise<Tree> {
    return this.#tree !== undefined && index < this.#tree.reader.head.size ? this.#tree : this.#read();
  }

  #read(): Promise<Tree> {
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<Tree> {
    const { fetch, origin, policy } = this.#options;
    const keep = this.#tree;
    const note = await fetch(CHECKPOINT_PATH);
    if (keep !== undefined && note !== undefined && equalBytes(note, keep.note)) return keep;
    const verifiers = noteVerifiers(policy.logs.map(({ vkey }) => vkey));
    const checkpoint = await fetchCheckpoint(() => Promise.resolve(note), verifiers, origin);
    const tree = { note: checkpoint.note, reader: await LogReader.open(fetch, checkpoint), accepted: false };
    this.#tree = tree;
    return tree;
  }
}
