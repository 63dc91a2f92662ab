/**
 * An Atom feed on a file, and what it is made from: the newest alerts, kept in the watcher's state so that the feed can
 * be written whole each time.
 * @module
 */
import { readFile } from "node:fs/promises";

import { writeFileAtomic } from "@bootproof/store";

import { writeAnswer, errno } from "../frame/files.ts";
import type { AlertDocument } from "./alert-text.ts";
import { formatAtom } from "./atom-feed.ts";
import type { FeedConfig } from "./watch-config.ts";

interface Kept {
  readonly begun: string;
  /** Newest first. */
  readonly alerts: readonly AlertDocument[];
}

/** A feed that alerts are added to. */
export class FeedFile {
  readonly #config: FeedConfig;
  readonly #memory: string;
  #kept: Kept;

  private constructor(config: FeedConfig, memory: string, kept: Kept) {
    this.#config = config;
    this.#memory = memory;
    this.#kept = kept;
  }

  /** Opens a feed whose alerts are kept in the file `memory`, and writes it. */
  static async open(config: FeedConfig, memory: string): Promise<FeedFile> {
    const text = await readFile(memory, "utf8").catch((error: unknown) => {
      if (errno(error) === "ENOENT") return undefined;
      throw error;
    });
    const kept =
      text === undefined ? { begun: new Date().toISOString(), alerts: [] } : (JSON.parse(text) as Kept);
    const feed = new FeedFile(config, memory, kept);
    await feed.#write();
    return feed;
  }

  /** Adds alerts; those that are in it stay as they are. On return the feed is on disk. */
  async add(alerts: readonly AlertDocument[]): Promise<void> {
    const known = new Set(this.#kept.alerts.map(({ id }) => id));
    const added = alerts.filter(({ id }) => !known.has(id));
    if (added.length === 0) return;
    const all = [...added.toReversed(), ...this.#kept.alerts].slice(0, this.#config.entries);
    this.#kept = { ...this.#kept, alerts: all };
    await this.#write();
  }

  async #write(): Promise<void> {
    const { title, link, file } = this.#config;
    await writeFileAtomic(this.#memory, new TextEncoder().encode(`${JSON.stringify(this.#kept)}\n`), 0o600);
    const { begun, alerts } = this.#kept;
    await writeAnswer(file, formatAtom({ title, link, name: file, begun }, alerts));
  }
}
