/**
 * What a watcher is told: which logs, which names are mine, whose keys count, and who hears of it.
 * @module
 */
import type { Vkey } from "@bootproof/bytes";
import type { LogPolicy } from "@bootproof/log";
import type { Publisher, RebuildRule } from "@bootproof/verify";

/** One log to follow. */
export interface WatchedLog {
  /** Folder or URL. */
  readonly place: string;
  /** Its keys, all of one name, the origin: while a log changes its key, two. */
  readonly keys: readonly [Vkey, ...Vkey[]];
  /** Which witnesses must have cosigned its checkpoints; without it none. */
  readonly witnesses: LogPolicy | undefined;
}

/** Where a webhook's or command's secret and limits come from. */
export interface WebhookConfig {
  readonly url: string;
  /** Signs what is sent, when there is one. */
  readonly secret: Uint8Array | undefined;
  readonly timeout: number;
}

/** A program that is given each alert. */
export interface ExecConfig {
  readonly command: readonly [string, ...string[]];
  readonly timeout: number;
}

/** An Atom feed. */
export interface FeedConfig {
  readonly file: string;
  readonly title: string;
  /** Where the feed will be read, when that is known. */
  readonly link: string | undefined;
  readonly entries: number;
}

/** Who hears of alerts. */
export interface SinksConfig {
  readonly stdout: "text" | "json" | "none";
  readonly webhooks: readonly WebhookConfig[];
  readonly feed: FeedConfig | undefined;
  readonly exec: readonly ExecConfig[];
}

/** All that a watcher is told; times are seconds. */
export interface WatchConfig {
  readonly state: string;
  readonly logs: readonly WatchedLog[];
  readonly names: readonly string[] | "any";
  readonly publishers: readonly Publisher[];
  readonly revoked: readonly Vkey[];
  readonly confirmations: { readonly rule: RebuildRule; readonly within: number } | undefined;
  readonly every: number;
  readonly staleAfter: number;
  readonly unreadableAfter: number;
  readonly witnessAfter: number;
  readonly alerts: SinksConfig;
}
