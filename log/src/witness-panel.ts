/**
 * The witnesses of a log's policy, asked together before a checkpoint is published. The first of them that make the
 * quorum are enough; lines that come later join the published checkpoint. Without the quorum nothing is published.
 * @module
 */
import { equalBytes, formatHex } from "@bootproof/bytes";
import {
  askWitness,
  fetchWitnessed,
  type WitnessAddress,
  type WitnessNetwork,
  type WitnessReply,
} from "./ask-witnesses.ts";
import { AuthenticatedTiles } from "./authenticated-tiles.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { makeConsistencyProof, type TreeHead } from "./consistency.ts";
import { LogError } from "./log-error.ts";
import { evaluateQuorum, type LogPolicy, type PolicyWitness } from "./log-policy.ts";
import { rangeRoot } from "./merkle.ts";
import type { ObjectStore } from "./storage.ts";
import { CHECKPOINT_PATH } from "./tile-path.ts";
import { WitnessDraft } from "./witness-draft.ts";
import { readMemory, writeMemory } from "./witness-memory.ts";

/** Witnesses that have not answered when enough have get this fraction of the patience. */
const WAIT_FOR_THE_REST = 8;
/** A witness has shown what it has seen. */
const SEEN = "it was asked";

/** How to ask a policy's witnesses. */
export interface WitnessPanelOptions {
  readonly policy: Pick<LogPolicy, "witnesses" | "quorum">;
  /** The log's own keys, as it signs with them; the first is an Ed25519 key. */
  readonly logKeys: readonly string[];
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

interface CurrentTree {
  readonly checkpoint: Checkpoint;
  readonly tiles: () => Promise<AuthenticatedTiles>;
}

/** The witnesses of one log's policy. */
export class WitnessPanel {
  readonly #options: WitnessPanelOptions;
  readonly #addresses: readonly WitnessAddress[];
  #late: Promise<unknown> = Promise.resolve();
  /** A witness proved, too late to stop the checkpoint, that this log signed another tree. */
  #convicted: LogError | undefined;
  #memory: Promise<Map<string, bigint>> | undefined;
  /** What came of asking each address what it has seen: why it could not be asked, or that it was. */
  readonly #seen = new Map<string, string>();
  /** The newest tree that witnesses may know from us, and its tiles. */
  #current: CurrentTree | undefined;
  /** Counts publications: lines that come late join the last one only. */
  #publications = 0;
  #replacing: Promise<unknown> = Promise.resolve();
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
   * Asks what all witnesses have seen of this log, unless enough of them were asked before: whoever signs on an older
   * copy of a log forks it. Throws {@link LogError}: ROLLBACK or FORK when one has seen a later or another tree.
   */
  async lookAround(checkpoint: Checkpoint, objects: ObjectStore): Promise<void> {
    if (this.#convicted !== undefined) throw this.#convicted;
    this.#current ??= { checkpoint, tiles: tilesOf(objects, checkpoint) };
    if (!this.#isEnough()) await this.#lookAtAll();
  }

  /** As {@link lookAround}, and throws {@link LogError} UNWITNESSED when too few could be asked. */
  async demandNewest(checkpoint: Checkpoint, objects: ObjectStore): Promise<void> {
    await this.lookAround(checkpoint, objects);
    if (this.#isEnough()) return;
    throw new LogError(
      "UNWITNESSED",
      "too few witnesses can be asked whether this is the newest copy of the log",
      {
        expected: quorumName(this.#options.policy),
        found: this.#addresses
          .map((address) => `${namesOf(address)}: ${this.#seen.get(address.url) ?? "no answer in time"}`)
          .join("; "),
        hint: "nothing was added: run this again when the witnesses answer",
      },
    );
  }

  /**
   * Publishes a checkpoint once the quorum has cosigned it (`fresh`: again), and returns it as published. Throws
   * {@link LogError}: UNWITNESSED when it has not in time, ROLLBACK or FORK when a witness proves that this log signed
   * another tree.
   */
  async publish(note: Uint8Array, objects: ObjectStore, fresh = false): Promise<Uint8Array> {
    if (this.#convicted !== undefined) throw this.#convicted;
    const turn = ++this.#publications;
    const draft = new WitnessDraft(note, this.#options.policy.witnesses, fresh);
    const { checkpoint } = draft;
    this.#current = { checkpoint, tiles: tilesOf(objects, checkpoint) };
    // Everyone knows the empty tree: nothing can be hidden in it, and witnesses meet a log only after it has its key.
    const asked =
      checkpoint.size > 0n && !this.#isMet(draft) ? await this.#ask(draft, this.#current.tiles) : [];
    const published = draft.note();
    await this.#replace(objects, published, turn);
    this.#awaitLate(asked, draft, objects, { published, turn });
    return published;
  }

  /** Replaces the public checkpoint unless a later publication has begun; one replacement at a time. */
  async #replace(objects: ObjectStore, note: Uint8Array, turn: number): Promise<void> {
    const replacing = this.#replacing.then(async () => {
      if (turn === this.#publications) await objects.putMutable(CHECKPOINT_PATH, note);
    });
    this.#replacing = replacing.catch(() => undefined);
    return replacing;
  }

  /**
   * Whether those who have shown what they have seen make the quorum, or else whether the others alone do not: then one
   * of those asked is among the cosigners of whatever was published.
   */
  #isEnough(): boolean {
    const { policy } = this.#options;
    const hasShown = ({ url = "" }: PolicyWitness): boolean => this.#seen.get(url) === SEEN;
    const isLeft = (witness: PolicyWitness): boolean => witness.url !== undefined && !hasShown(witness);
    return evaluateQuorum(policy, hasShown) || !evaluateQuorum(policy, isLeft);
  }

  async #lookAtAll(): Promise<void> {
    const { network, patience } = this.#options;
    this.#seen.clear();
    const looks = this.#addresses.map(async ({ url }) => {
      this.#seen.set(url, (await this.#look(url)) ?? SEEN);
    });
    const enough = firstTrue(looks.map((look) => look.then(() => this.#isEnough()))).then(() =>
      network.after(patience / WAIT_FOR_THE_REST),
    );
    for (const look of looks)
      look.catch((error: unknown) => {
        if (error instanceof LogError) this.#convicted ??= error; // when it comes too late to be thrown here
      });
    await Promise.race([Promise.all(looks), enough, network.after(patience)]);
  }

  #isMet(draft: WitnessDraft): boolean {
    return evaluateQuorum(this.#options.policy, (witness) => draft.has(witness));
  }

  /** Asks those whose lines are missing until the quorum is met; returns what is still under way. */
  async #ask(draft: WitnessDraft, tiles: CurrentTree["tiles"]): Promise<readonly Promise<boolean>[]> {
    const { network, staging, patience } = this.#options;
    this.#outcomes = new Map();
    const memory = await (this.#memory ??= readMemory(staging));
    const wanted = this.#addresses.filter(({ witnesses }) => !witnesses.every((one) => draft.has(one)));
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
    draft: WitnessDraft,
    tiles: CurrentTree["tiles"],
    memory: Map<string, bigint>,
  ): Promise<boolean> {
    const { size } = draft.checkpoint;
    const known = memory.get(address.url) ?? 0n;
    const reply = await askWitness(this.#options.network, address, {
      size,
      note: draft.signedBy(this.#options.logKeys),
      oldSize: known <= size ? known : size,
      proofFrom: async (old) => makeConsistencyProof(await tiles(), old, size),
    });
    this.#outcomes.set(address.url, outcomeOf(address, reply));
    if (reply.outcome === "contradicts") await this.#look(address.url);
    if (reply.outcome === "cosigned") {
      draft.add(reply.lines);
      memory.set(address.url, size);
    }
    return this.#isMet(draft);
  }

  /** Republishes the checkpoint with each line that comes after the quorum was met. */
  #awaitLate(
    asked: readonly Promise<boolean>[],
    draft: WitnessDraft,
    objects: ObjectStore,
    { published, turn }: { published: Uint8Array; turn: number },
  ): void {
    let last = published;
    const republish = async (): Promise<void> => {
      const note = draft.note();
      if (equalBytes(note, last)) return;
      last = note;
      await this.#replace(objects, note, turn);
      const { staging } = this.#options;
      await writeMemory(staging, await (this.#memory ??= readMemory(staging)));
    };
    const late = asked.map((answer) =>
      answer.then(republish).catch((error: unknown) => {
        // That a later checkpoint is public already is no reason to say anything.
        if (error instanceof LogError && error.kind !== "CONFLICT") this.#convicted ??= error;
      }),
    );
    this.#late = Promise.all(late);
  }

  /**
   * Why the witness could not be asked what it has seen, if it could not; throws when it shows a checkpoint that this
   * log signed and that does not fit this one.
   */
  async #look(url: string): Promise<string | undefined> {
    const { network, logKeys } = this.#options;
    const origin = this.#current?.checkpoint.origin ?? "";
    const { unreachable, checkpoint: seen } = await fetchWitnessed(network, url, logKeys, origin);
    // The tree of now: the witness may have cosigned it while it was asked.
    if (seen !== undefined && this.#current !== undefined) await refuseOther(url, seen, this.#current);
    return unreachable;
  }

  #unwitnessed(draft: WitnessDraft, wanted: readonly WitnessAddress[]): LogError {
    const { policy } = this.#options;
    const said = wanted.map(({ url, witnesses }) => {
      const outcome = this.#outcomes.get(url);
      return `${namesOf({ witnesses })}: ${outcome?.reason ?? "no answer in time"}`;
    });
    return new LogError("UNWITNESSED", "too few witnesses cosigned the checkpoint: it is not published", {
      expected: quorumName(policy),
      found: [`${draft.count} cosignatures`, ...said].join("; "),
      hint: "the entries are kept and become public when this is run again and the witnesses answer",
    });
  }
}

const namesOf = ({ witnesses }: Pick<WitnessAddress, "witnesses">): string =>
  witnesses.map(({ name }) => name).join(", ");

const quorumName = ({ quorum }: WitnessPanelOptions["policy"]): string =>
  `quorum ${quorum === "none" ? quorum : quorum.name}`;

/** Throws when a witness has seen what does not fit this tree: it is an older copy of the log, or another one. */
async function refuseOther(url: string, seen: TreeHead, { checkpoint, tiles }: CurrentTree): Promise<void> {
  const { size, root } = checkpoint;
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
