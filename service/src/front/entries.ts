/**
 * `POST /v1/entries` takes an entry, and `GET /v1/entries/<leaf hash>` says what became of one. A 200 is given only when a
 * public checkpoint covers the entry, with the proof of that, which was verified here first.
 * @module
 */
import { equalBytes, formatHex } from "@bootproof/bytes";
import { leafHash, LogError, MAX_ENTRY_LENGTH } from "@bootproof/log";

import { jsonAnswer, refuseAsJson, Refused, type Answer, type Refusal } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import type { Asked } from "../http/request.ts";
import type { LogMetrics } from "../operating/log-metrics.ts";
import { StillPending, type Sequenced, type Sequencer } from "../sequencing/sequencer.ts";
import type { EntryPlaces } from "./entry-places.ts";
import { Unproven, type Proven, type PublishedTree } from "./published-tree.ts";

/** An entry that may be appended. */
export interface AdmittedEntry {
  readonly entry: Uint8Array;
  readonly identity: Uint8Array;
  /** Whose it is, for the journal. */
  readonly publisher: string;
  /** Gives back what it took of a quota: it was there already, or was not appended. */
  readonly giveBack: () => void;
}

/** Decides what may be appended. */
export interface EntryAdmission {
  /** `isThere` says whether the log has these bytes already. */
  admit(body: Uint8Array, isThere: () => Promise<boolean>): Promise<AdmittedEntry | RefusedEntry>;
}

/** Why an entry may not be appended. */
export interface RefusedEntry extends Refusal {
  /** When only a quota refuses it: an entry that is in the log already is answered all the same. */
  readonly identity?: Uint8Array;
}

/** What the routes work with. */
export interface EntriesOptions {
  readonly sequencer: Sequencer;
  readonly tree: PublishedTree;
  readonly places: EntryPlaces;
  readonly metrics: LogMetrics;
  readonly identityOf: (entry: Uint8Array) => Uint8Array;
  readonly admission: EntryAdmission | undefined;
  /** How long a request waits for its checkpoint at most, in seconds. */
  readonly wait: number;
  /** Hears that the log's files do not prove what they should. */
  readonly damaged: (error: unknown) => void;
}

const PATH = "/v1/entries";
const STATUS = /^\/v1\/entries\/([0-9a-f]{64})$/;
/** How often it is looked whether a checkpoint came out, where nobody says so. */
const LOOK_MS = 100;

/** The routes of entries. */
export class Entries {
  readonly #options: EntriesOptions;

  constructor(options: EntriesOptions) {
    this.#options = options;
  }

  /** The route of a path of entries. */
  route(path: string): Route | undefined {
    if (path === PATH) return this.#post;
    return STATUS.test(path) ? this.#status : undefined;
  }

  readonly #post: Route = { name: "entries", method: "POST", answer: (asked) => this.#take(asked) };
  readonly #status: Route = { name: "entry", method: "GET", answer: (asked) => this.#tell(asked) };

  async #take(asked: Asked): Promise<Answer> {
    const { admission } = this.#options;
    if (admission === undefined) throw new Refused(NO_ADMISSION);
    const wait = this.#waitOf(asked);
    const body = await asked.body(MAX_ENTRY_LENGTH);
    const leaf = formatHex(leafHash(body));
    const admitted = await admission.admit(body, async () => (await this.#indexOf(leaf)) !== undefined);
    if (!("code" in admitted)) return this.#append(admitted, wait);
    const known = admitted.identity === undefined ? undefined : await this.#find(leaf);
    return known === undefined ? refuseAsJson(admitted) : publishedAnswer(known, { duplicate: true });
  }

  async #append({ entry, identity, publisher, giveBack }: AdmittedEntry, wait: number): Promise<Answer> {
    const { sequencer, places, metrics } = this.#options;
    const leaf = leafHash(entry);
    const start = performance.now();
    const submitted = sequencer.submit(entry, identity);
    places.follow(leaf, submitted);
    submitted.then(({ duplicate }) => (duplicate ? giveBack() : undefined), giveBack);
    const end = start + wait * 1000;
    const sequenced = await within(submitted.catch(unlessPending), end);
    const proven =
      sequenced === undefined ? undefined : await this.#prove(sequenced, { entry, identity }, end);
    if (sequenced === undefined || proven === undefined)
      return pendingAnswer(202, formatHex(leaf), publisher);
    metrics.published.observe((performance.now() - start) / 1000);
    return publishedAnswer(proven, { publisher, ...(sequenced.duplicate ? { duplicate: true } : {}) });
  }

  /** The proof of an entry that has its index, as soon as it can be had until `end`. */
  async #prove(
    { index, duplicate }: Sequenced,
    { entry, identity }: Pick<AdmittedEntry, "entry" | "identity">,
    end: number,
  ): Promise<Proven | undefined> {
    const { tree, identityOf } = this.#options;
    for (;;) {
      const proven = await this.#soundly(() => tree.prove(index, duplicate ? undefined : entry));
      // The index of a duplicate comes from memory that may be damaged: what lies there must be the same statement.
      if (proven !== undefined && duplicate && !equalBytes(identityOf(proven.entry), identity))
        throw this.#damaged(new Unproven(`entry ${String(index)} is another one than the index says`));
      if (proven !== undefined || performance.now() >= end) return proven;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #tell(asked: Asked): Promise<Answer> {
    asked.parameters([]);
    const hash = STATUS.exec(asked.path)?.[1] ?? "";
    const proven = await this.#find(hash);
    if (proven !== undefined) return publishedAnswer(proven, { status: "published" });
    if (this.#options.places.waits(hash)) return pendingAnswer(200, hash);
    throw new Refused({
      status: 404,
      code: "BP-SERVE-008",
      message: "no such entry is in the log or waits here",
    });
  }

  /** The entry with this leaf hash, proven; undefined when the public tree has none. */
  async #find(hash: string): Promise<Proven | undefined> {
    const index = await this.#indexOf(hash);
    return index === undefined ? undefined : this.#soundly(() => this.#options.tree.prove(index));
  }

  /** Where the public tree has a leaf of this hash. */
  async #indexOf(hash: string): Promise<bigint | undefined> {
    const { tree, places } = this.#options;
    for (const index of await places.find(hash)) {
      const found = await this.#soundly(() => tree.leafHash(index));
      if (found !== undefined && formatHex(found) === hash) return index;
    }
    return undefined;
  }

  /** Reads the tree; when that fails the files are damaged, and nothing is promised. */
  async #soundly<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw error instanceof Unproven || error instanceof LogError ? this.#damaged(error) : error;
    }
  }

  #damaged(error: unknown): Refused {
    this.#options.damaged(error);
    return new Refused({
      status: 500,
      code: "BP-SERVE-007",
      message: "the log's files do not prove this entry now; nothing is promised",
    });
  }

  #waitOf(asked: Asked): number {
    const given = asked.parameters(["wait"]).get("wait");
    if (given === undefined) return this.#options.wait;
    if (!/^[0-9]{1,4}$/.test(given))
      throw new Refused({ status: 400, code: "BP-SERVE-004", message: "wait is a whole number of seconds" });
    return Math.min(Number(given), this.#options.wait);
  }
}

const NO_ADMISSION: Refusal = {
  status: 404,
  code: "BP-SERVE-011",
  message: "this log takes no entries here",
};

function publishedAnswer(
  { index, leafHash: leaf, proof }: Proven,
  more: { readonly duplicate?: boolean; readonly publisher?: string; readonly status?: string },
): Answer {
  const { publisher, ...said } = more;
  const document = { ...said, index: Number(index), leafHash: formatHex(leaf), proof };
  return { ...jsonAnswer(200, document), ...aboutOf(publisher) };
}

function pendingAnswer(status: 200 | 202, leaf: string, publisher?: string): Answer {
  const document = { status: "pending", leafHash: leaf, statusUrl: `${PATH}/${leaf}` };
  return { ...jsonAnswer(status, document), ...aboutOf(publisher) };
}

function unlessPending(error: unknown): undefined {
  if (!(error instanceof StillPending)) throw error;
}

const aboutOf = (publisher: string | undefined): Pick<Answer, "about"> =>
  publisher === undefined ? {} : { about: { publisher } };

/** What a promise gives until `end`, or undefined. */
async function within<T>(promise: Promise<T>, end: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, end - performance.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
