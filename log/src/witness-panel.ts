/**
 * The witnesses of a log's policy, asked together before a checkpoint is published. The first of them that make the
 * quorum are enough; lines that come later join the published checkpoint. Without the quorum nothing is published.
 * @module
 */
import { equalBytes, formatHex, parseDecimal, ParseError, parseUtf8, utf8 } from "@bootproof/bytes";
import {
  askWitness,
  fetchWitnessed,
  type WitnessAddress,
  type WitnessNetwork,
  type WitnessReply,
} from "./ask-witnesses.ts";
import { AuthenticatedTiles } from "./authenticated-tiles.ts";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { makeConsistencyProof } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { evaluateQuorum, type LogPolicy, type PolicyWitness } from "./log-policy.ts";
import { rangeRoot } from "./merkle.ts";
import { checkSignatures, formatNote, parseNote, type NoteSignature } from "./note.ts";
import type { ObjectStore } from "./storage.ts";
import { CHECKPOINT_PATH } from "./tile-path.ts";
import { noteVerifier, noteVerifiers } from "./verifier.ts";

const MEMORY_KEY = "witnesses";
const MEMORY_LINE = "bootproof.log/witnesses@v1";

/** How to ask a policy's witnesses. */
export interface WitnessPanelOptions {
  readonly policy: Pick<LogPolicy, "witnesses" | "quorum">;
  /** The log's own key. */
  readonly logKey: string;
  readonly network: WitnessNetwork;
  /** Where the sizes that they confirmed are kept; losing them costs one more request each. */
  readonly staging: Pick<ObjectStore, "get" | "putMutable">;
  /** Milliseconds to wait for the quorum, all in all. */
  readonly patience: number;
}

/** What came of asking the witness at one address. */
export interface WitnessOutcome {
  readonly url: string;
  readonly names: readonly string[];
  readonly outcome: WitnessReply["outcome"];
  readonly reason: string;
}

/** The witnesses of one log's policy. */
export class WitnessPanel {
  readonly #options: WitnessPanelOptions;
  readonly #addresses: readonly WitnessAddress[];
  #late: Promise<unknown> = Promise.resolve();
  /** A witness proved, too late to stop the checkpoint, that this log signed another tree. */
  #convicted: LogError | undefined;
  #memory: Promise<Map<string, bigint>> | undefined;
  #outcomes = new Map<string, WitnessOutcome>();

  /** Throws {@link LogError} when the witnesses with an address cannot make the quorum. */
  constructor(options: WitnessPanelOptions) {
    this.#options = options;
    this.#addresses = addressesOf(options.policy.witnesses);
    if (!evaluateQuorum(options.policy, ({ url }) => url !== undefined))
      throw new LogError("UNWITNESSED", "the policy's quorum cannot be reached", {
        expected: "a URL for enough of its witnesses",
        hint: "add the witnesses' URLs to the policy: witness NAME VKEY URL",
      });
  }

  /** Whose cosignatures it asks for. */
  get policy(): WitnessPanelOptions["policy"] {
    return this.#options.policy;
  }

  /** What came of asking, the last time, address by address; those still being asked are not in it. */
  get outcomes(): readonly WitnessOutcome[] {
    return [...this.#outcomes.values()];
  }

  /**
   * Waits, no longer than the patience, for the cosignatures that are under way and until the checkpoint is published
   * with them. Throws {@link LogError} when a witness proved meanwhile that this log signed another tree.
   */
  async settle(): Promise<void> {
    await Promise.race([this.#late, this.#options.network.after(this.#options.patience)]);
    if (this.#convicted !== undefined) throw this.#convicted;
  }

  /**
   * Publishes a checkpoint once the quorum has cosigned it, and returns it as published. Throws {@link LogError}:
   * UNWITNESSED when it has not in time, ROLLBACK or FORK when a witness proves that this log signed another tree.
   */
  async publish(note: Uint8Array, objects: ObjectStore): Promise<Uint8Array> {
    if (this.#convicted !== undefined) throw this.#convicted;
    const draft = new Draft(note, this.#options.policy.witnesses);
    // Everyone knows the empty tree: nothing can be hidden in it, and witnesses meet a log only after it has its key.
    const asked = draft.checkpoint.size > 0n && !this.#isMet(draft) ? await this.#ask(draft, objects) : [];
    const published = draft.note();
    await objects.putMutable(CHECKPOINT_PATH, published);
    this.#awaitLate(asked, draft, objects, published);
    return published;
  }

  #isMet(draft: Draft): boolean {
    return evaluateQuorum(this.#options.policy, (witness) => draft.has(witness));
  }

  /** Asks those whose lines are missing until the quorum is met; returns what is still under way. */
  async #ask(draft: Draft, objects: ObjectStore): Promise<readonly Promise<boolean>[]> {
    const { network, staging, patience } = this.#options;
    this.#outcomes = new Map();
    const memory = await (this.#memory ??= readMemory(staging));
    const wanted = this.#addresses.filter(({ witnesses }) => !witnesses.every((one) => draft.has(one)));
    const tiles = tilesOf(objects, draft.checkpoint);
    const asked = wanted.map((address) => this.#askOne(address, draft, tiles, memory));
    const met = await Promise.race([
      firstTrue(asked),
      network.after(patience).then(() => this.#isMet(draft)),
    ]);
    await writeMemory(staging, memory);
    if (!met) throw this.#unwitnessed(draft, wanted);
    return asked;
  }

  async #askOne(
    address: WitnessAddress,
    draft: Draft,
    tiles: () => Promise<AuthenticatedTiles>,
    memory: Map<string, bigint>,
  ): Promise<boolean> {
    const { size } = draft.checkpoint;
    const known = memory.get(address.url) ?? 0n;
    const reply = await askWitness(this.#options.network, address, {
      size,
      note: draft.signedBy(this.#options.logKey),
      oldSize: known <= size ? known : size,
      proofFrom: async (old) => makeConsistencyProof(await tiles(), old, size),
    });
    this.#outcomes.set(address.url, outcomeOf(address, reply));
    if (reply.outcome === "contradicts") await this.#convict(address.url, draft.checkpoint, tiles);
    if (reply.outcome === "cosigned") {
      draft.add(reply.lines);
      memory.set(address.url, size);
    }
    return this.#isMet(draft);
  }

  /** Republishes the checkpoint with each line that comes after the quorum was met. */
  #awaitLate(
    asked: readonly Promise<boolean>[],
    draft: Draft,
    objects: ObjectStore,
    published: Uint8Array,
  ): void {
    let last = published;
    let turn: Promise<void> = Promise.resolve();
    const republish = async (): Promise<void> => {
      const note = draft.note();
      if (equalBytes(note, last)) return;
      last = note;
      await objects.putMutable(CHECKPOINT_PATH, note);
      const { staging } = this.#options;
      await writeMemory(staging, await (this.#memory ??= readMemory(staging)));
    };
    const late = asked.map((answer) =>
      answer
        .then(() => (turn = turn.then(republish)))
        .catch((error: unknown) => {
          // That a later checkpoint is public already is no reason to say anything.
          if (error instanceof LogError && error.kind !== "CONFLICT") this.#convicted ??= error;
        }),
    );
    this.#late = Promise.all(late);
  }

  /** Throws when the witness shows a checkpoint that this log signed and that does not fit this one. */
  async #convict(
    url: string,
    { origin, size, root }: Checkpoint,
    tiles: () => Promise<AuthenticatedTiles>,
  ): Promise<void> {
    const { network, logKey } = this.#options;
    const seen = await fetchWitnessed(network, url, logKey, origin);
    if (seen === undefined) return;
    const detail = { file: url, expected: formatHex(root), found: formatHex(seen.root) };
    if (seen.size > size)
      throw new LogError("ROLLBACK", `a witness has a larger checkpoint of this log: size ${seen.size}`, {
        file: url,
        expected: `a size of at most ${size}`,
        found: String(seen.size),
        hint: "this is an older copy of the log: restore the newest; signing from an older one would fork the log",
      });
    const ours = seen.size === size ? root : await rangeRoot(await tiles(), { start: 0n, end: seen.size });
    if (!equalBytes(ours, seen.root))
      throw new LogError("FORK", `a witness has another tree of this log: size ${seen.size}`, {
        ...detail,
        expected: formatHex(ours),
        hint: "keep both checkpoints: together they show that the log signed two trees",
      });
  }

  #unwitnessed(draft: Draft, wanted: readonly WitnessAddress[]): LogError {
    const { policy } = this.#options;
    const said = wanted.map(({ url, witnesses }) => {
      const outcome = this.#outcomes.get(url);
      return `${witnesses.map(({ name }) => name).join(", ")}: ${outcome?.reason ?? "no answer in time"}`;
    });
    return new LogError("UNWITNESSED", "too few witnesses cosigned the checkpoint: it is not published", {
      expected: `quorum ${policy.quorum === "none" ? "none" : policy.quorum.name}`,
      found: [`${draft.count} cosignatures`, ...said].join("; "),
      hint: "the entries are kept and become public when this is run again and the witnesses answer",
    });
  }
}

/** A checkpoint and the cosignatures that it has got so far. */
class Draft {
  readonly checkpoint: Checkpoint;
  readonly #text: Uint8Array;
  readonly #own: readonly NoteSignature[];
  readonly #witnesses: readonly PolicyWitness[];
  readonly #lines = new Map<PolicyWitness, NoteSignature>();

  constructor(note: Uint8Array, witnesses: readonly PolicyWitness[]) {
    const { unverifiedText, signatures } = parseNote(note);
    this.#text = unverifiedText;
    this.checkpoint = parseCheckpoint(unverifiedText);
    this.#witnesses = witnesses;
    const cosigned = signatures.filter((line) => this.#witnessOf(line) !== undefined);
    this.#own = signatures.filter((line) => !cosigned.includes(line));
    this.add(cosigned);
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
    const lines = this.#witnesses.flatMap((witness) => this.#lines.get(witness) ?? []);
    return formatNote(this.#text, [...this.#own, ...lines]);
  }

  /** The note with the log's signature alone: witnesses bound what they read. */
  signedBy(logKey: string): Uint8Array {
    const verifiers = noteVerifiers([logKey]);
    const own = this.#own.filter(({ name, keyId }) =>
      verifiers.some(({ vkey }) => vkey.name === name && vkey.keyId === keyId),
    );
    return formatNote(this.#text, own);
  }

  #witnessOf({ name, keyId }: NoteSignature): PolicyWitness | undefined {
    return this.#witnesses.find(({ vkey }) => vkey.name === name && vkey.keyId === keyId);
  }
}

/** The tiles of a checkpoint's tree, opened when a proof is first asked for. */
function tilesOf(objects: ObjectStore, tree: Checkpoint): () => Promise<AuthenticatedTiles> {
  let tiles: Promise<AuthenticatedTiles> | undefined;
  return () => (tiles ??= AuthenticatedTiles.open((path) => objects.get(path), tree));
}

function addressesOf(witnesses: readonly PolicyWitness[]): WitnessAddress[] {
  const byUrl = new Map<string, PolicyWitness[]>();
  for (const witness of witnesses)
    if (witness.url !== undefined) byUrl.set(witness.url, [...(byUrl.get(witness.url) ?? []), witness]);
  return [...byUrl].map(([url, of]) => ({ url, witnesses: of }));
}

function outcomeOf({ url, witnesses }: WitnessAddress, reply: WitnessReply): WitnessOutcome {
  const reason = reply.outcome === "cosigned" ? "it cosigned" : reply.reason;
  return { url, names: witnesses.map(({ name }) => name), outcome: reply.outcome, reason };
}

/** True as soon as one is; false when all are; an error as soon as there is one. */
function firstTrue(answers: readonly Promise<boolean>[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settled = answers.map((answer) =>
      answer.then((yes) => {
        if (yes) resolve(true);
      }),
    );
    Promise.all(settled).then(() => resolve(false), reject);
  });
}

/** The sizes that witnesses confirmed, by address. */
async function readMemory(staging: Pick<ObjectStore, "get">): Promise<Map<string, bigint>> {
  const bytes = await staging.get(MEMORY_KEY);
  if (bytes === undefined) return new Map();
  try {
    const [first, ...lines] = parseUtf8(bytes, MEMORY_KEY).trimEnd().split("\n");
    if (first !== MEMORY_LINE) return new Map();
    return new Map(lines.map(memoryLine));
  } catch (error) {
    // What is lost with it is one request a witness.
    if (error instanceof ParseError) return new Map();
    throw error;
  }
}

function memoryLine(line: string): [string, bigint] {
  const [size = "", url = ""] = line.split(" ");
  return [url, parseDecimal(size, "witness size")];
}

async function writeMemory(
  staging: Pick<ObjectStore, "putMutable">,
  memory: ReadonlyMap<string, bigint>,
): Promise<void> {
  const lines = [...memory].map(([url, size]) => `${size} ${url}`);
  await staging.putMutable(MEMORY_KEY, utf8([MEMORY_LINE, ...lines, ""].join("\n")));
}
