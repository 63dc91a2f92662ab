/**
 * The checkpoints that this user saw of each log, so that a log can neither shrink nor show them another tree: one
 * compare-and-swap memory for each origin and key, below the state folder, shared by all processes. What contradicts
 * what was seen is kept beside it, as a file that anyone can check.
 * @module
 */
import { join } from "node:path";

import { formatHex, formatVkey, ParseError, sha256, utf8 } from "@bootproof/bytes";
import {
  formatSeenLog,
  LogError,
  LogReader,
  openSeenLog,
  proveGrowth,
  rememberApart,
  rememberProven,
  type Contradiction,
  type FetchObject,
  type SeenLog,
  type SignedCheckpoint,
} from "@bootproof/log";
import { DirectoryHead, writeFileAtomic } from "@bootproof/store";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { makeFolder } from "../frame/folders.ts";
import { errno } from "../frame/files.ts";
import { stateFolder } from "./state-folder.ts";

/** Processes that remember at once each win in the end; more losses in a row than this are none. */
const MAX_ATTEMPTS = 100;

/** What is remembered of a log; opened before its checkpoint is asked for, so that only a lie can be older. */
export class LogMemory {
  readonly #context: Context;
  readonly #parts: ReadonlyMap<string, Part>;

  private constructor(context: Context, parts: ReadonlyMap<string, Part>) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Reads what is remembered of the log with these keys; a state folder that cannot be used is said and done without. */
  static async open(context: Context, vkeys: readonly string[], origin: string): Promise<LogMemory> {
    const parts = new Map<string, Part>();
    for (const vkey of vkeys) {
      const part = await openPart(context, vkey, origin);
      if (part !== undefined) parts.set(vkey, part);
    }
    return new LogMemory(context, parts);
  }

  /**
   * Demands that a checkpoint just shown continues all that were seen, whichever of the log's keys signed them, and
   * remembers it; throws {@link Failure}.
   */
  async demandGrowth(shown: SignedCheckpoint, fetch: FetchObject): Promise<void> {
    let reader: Promise<LogReader> | undefined;
    const open = (): Promise<LogReader> => (reader ??= LogReader.open(fetch, shown));
    // Also what the log's other keys signed: a log that changes its key goes on with its tree.
    for (const { seen } of this.#parts.values()) {
      const found = await proveGrowth(seen, shown, open, fetch);
      if (found !== undefined) throw await this.#accuse(found);
    }
    this.#sayFirst(shown);
    for (const part of this.#of(shown))
      await this.#remember(part, rememberProven(part.seen, shown), async (seen) => {
        // Another process saw more in the meantime. What is larger than ours is for the next reader to connect.
        const isLarger = [...seen.apart, ...(seen.proven ? [seen.proven] : [])].some(
          ({ size }) => size > shown.size,
        );
        if (isLarger) return rememberApart(seen, shown);
        return (await proveGrowth(seen, shown, open, fetch)) ?? rememberProven(seen, shown);
      });
  }

  /** Demands that a checkpoint of an offline proof does not contradict those seen, and remembers it; throws {@link Failure}. */
  async demandAgreement(shown: SignedCheckpoint): Promise<void> {
    const next = new Map<Part, SeenLog>();
    for (const part of this.#parts.values()) {
      const seen = rememberApart(part.seen, shown);
      if ("evidence" in seen) throw await this.#accuse(seen);
      next.set(part, seen);
    }
    this.#sayFirst(shown);
    for (const [part, seen] of next) await this.#remember(part, seen, (other) => rememberApart(other, shown));
  }

  /** The memories of the keys that signed a checkpoint. */
  #of({ opened }: SignedCheckpoint): readonly Part[] {
    return opened.verified.flatMap(({ verifier }) => this.#parts.get(formatVkey(verifier.vkey)) ?? []);
  }

  #sayFirst({ origin, size }: SignedCheckpoint): void {
    const parts = [...this.#parts.values()];
    if (parts.length > 0 && parts.every(({ seen }) => seen.proven === undefined && seen.apart.length === 0))
      this.#context.note(
        `first look at ${origin}: its size ${String(size)} is taken as it is, and may only grow from now on`,
      );
  }

  /** Writes what is remembered now; when another process was faster, what `merge` makes of both. */
  async #remember(
    part: Part,
    next: SeenLog,
    merge: (seen: SeenLog) => Promise<SeenLog | Contradiction> | SeenLog | Contradiction,
  ): Promise<void> {
    let [seen, { generation }, wanted] = [part.seen, part, next];
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS && !isSame(seen, wanted); attempt++) {
        if ((await part.head.compareAndSwap(generation, formatSeenLog(wanted))) === "committed") return;
        const head = await part.head.read();
        if (head === undefined) return;
        ({ generation } = head);
        seen = openSeenLog(head.bytes, seen.vkey, seen.origin);
        const merged = await merge(seen);
        if ("evidence" in merged) throw await this.#accuse(merged);
        wanted = merged;
      }
    } catch (error) {
      if (error instanceof Failure || error instanceof LogError) throw error;
      sayForgetful(this.#context, error);
    }
  }

  /** The failure for a log that contradicts itself, with the evidence kept. */
  async #accuse(found: Contradiction): Promise<Failure> {
    const name = `${formatHex(sha256(found.evidence)).slice(0, 16)}.evidence`;
    const file = join(stateFolder(this.#context.env), "evidence", name);
    try {
      await makeFolder(file);
      await writeFileAtomic(file, found.evidence);
      return accusation(found, file);
    } catch (error) {
      this.#context.note(`the evidence cannot be kept at ${file}: ${messageOf(error)}`);
      return accusation(found, undefined);
    }
  }
}

/** The memory of one key. */
interface Part {
  readonly head: DirectoryHead;
  readonly seen: SeenLog;
  readonly generation: number;
}

async function openPart(context: Context, vkey: string, origin: string): Promise<Part | undefined> {
  const name = formatHex(sha256(utf8(`${origin}\n${vkey}\n`)));
  const folder = join(stateFolder(context.env), "checkpoints", name);
  try {
    const head = await DirectoryHead.open(folder);
    const read = await head.read();
    if (read === undefined) return { head, generation: 0, seen: { vkey, origin, apart: [] } };
    return { head, generation: read.generation, seen: openSeenLog(read.bytes, vkey, origin) };
  } catch (error) {
    if (error instanceof ParseError || error instanceof LogError) throw unreadable(folder, error);
    sayForgetful(context, error);
    return undefined;
  }
}

function isSame(a: SeenLog, b: SeenLog): boolean {
  const text = ({ proven, apart }: SeenLog): string =>
    [proven, ...apart].map((seen) => `${seen?.size ?? ""} ${seen ? formatHex(seen.root) : ""}`).join("\n");
  return text(a) === text(b);
}

/** A home that cannot be written to is no reason not to read a log. */
function sayForgetful(context: Context, error: unknown): void {
  context.note(
    `what is seen of this log cannot be remembered: ${messageOf(error)} (BOOTPROOF_STATE names another folder)`,
  );
}

function messageOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return errno(cause) ?? (cause instanceof Error ? cause.message : String(cause));
}

function unreadable(folder: string, error: ParseError | LogError): Failure {
  return new Failure("BP-LOG-033", EXIT.malformed, "what was remembered of this log cannot be read", {
    file: folder,
    found: error.message,
    cause: error,
  });
}

function accusation({ kind, seen, shown, prefixRoot }: Contradiction, file: string | undefined): Failure {
  const root = (one: Uint8Array | undefined): string => (one === undefined ? "" : formatHex(one));
  const check = file === undefined ? undefined : `bootproof inspect ${file}`;
  if (kind === "shrank")
    return new Failure("BP-LOG-030", EXIT.no, "the log shrank: it was larger when it was seen before", {
      file,
      expected: `a size of at least ${String(seen.size)}`,
      found: String(shown.size),
      hint: `an old copy, from a cache or a backup? ask again, or another mirror; both checkpoints: ${check ?? ""}`,
    });
  if (kind === "two roots")
    return new Failure("BP-LOG-031", EXIT.no, `the log signed two trees of size ${String(seen.size)}`, {
      file,
      expected: root(seen.root),
      found: root(shown.root),
      hint: `keep and publish the evidence: ${check ?? ""}`,
    });
  const smaller = seen.size < shown.size ? seen : shown;
  return new Failure(
    "BP-LOG-032",
    EXIT.no,
    `the log forked: the first ${String(smaller.size)} of its ${String(seen.size < shown.size ? shown.size : seen.size)} entries are others than those of size ${String(smaller.size)}`,
    {
      file,
      expected: root(smaller.root),
      found: root(prefixRoot),
      hint: `keep and publish the evidence: ${check ?? ""}`,
    },
  );
}
