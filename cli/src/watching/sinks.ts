/**
 * Who hears of alerts. When `hear` has returned, an alert is printed, in the feed, and in the outbox of every receiver;
 * only then may the watcher forget where it came from. Killed in between, it says the same again with the same ID.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

import type { Alert } from "@bootproof/verify/monitor";

import type { Context } from "../frame/context.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { alertDocument, formatAlert, type AlertDocument } from "./alert-text.ts";
import { FeedFile } from "./feed-file.ts";
import { Outbox, type Send } from "./outbox.ts";
import { runWithAlert } from "./run-program.ts";
import type { SinksConfig } from "./watch-config.ts";
import { postAlert } from "./webhook.ts";

/** A receiver that alerts are sent to. */
interface Receiver {
  readonly name: string;
  readonly send: Send;
}

/** All who hear of alerts. */
export class Sinks {
  readonly #context: Context;
  readonly #stdout: SinksConfig["stdout"];
  readonly #feed: FeedFile | undefined;
  readonly #outboxes: readonly Outbox[];
  /** Several logs are looked at at once; what they say must not mix. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(
    context: Context,
    stdout: SinksConfig["stdout"],
    feed: FeedFile | undefined,
    outboxes: readonly Outbox[],
  ) {
    this.#context = context;
    this.#stdout = stdout;
    this.#feed = feed;
    this.#outboxes = outboxes;
  }

  /** Opens the sinks of a configuration, with what waits in `folder` from earlier runs. */
  static async open(context: Context, config: SinksConfig, folder: string): Promise<Sinks> {
    const note = (line: string): void => context.note(line);
    const outboxes = await Promise.all(
      receivers(config, context.options.offline).map(({ name, send }) =>
        Outbox.open({ folder: join(folder, "outbox", folderName(name)), name, send, note }),
      ),
    );
    const { feed } = config;
    const opened = feed === undefined ? undefined : await FeedFile.open(feed, join(folder, "feed.json"));
    return new Sinks(context, config.stdout, opened, outboxes);
  }

  /** The name of a receiver whose outbox takes no more. */
  get full(): string | undefined {
    return this.#outboxes.find(({ isFull }) => isFull)?.name;
  }

  /** The receivers, and how many alerts wait for each. */
  get waiting(): readonly { readonly name: string; readonly size: number }[] {
    return this.#outboxes.map(({ name, size }) => ({ name, size }));
  }

  /** Says alerts to everyone who does not need to be asked twice, and puts them into the others' outboxes. */
  async hear(alerts: readonly Alert[]): Promise<void> {
    if (alerts.length === 0) return;
    const said = this.#turn.then(() => this.#say(alerts.map(alertDocument)));
    this.#turn = said.catch(() => undefined);
    await said;
  }

  /** Sends what is due. */
  async flush(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.flush(this.#context.signal)));
  }

  /** Sends what is due whenever it is, until the user interrupts. */
  async run(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.run(this.#context.signal)));
  }

  async #say(alerts: readonly AlertDocument[]): Promise<void> {
    for (const outbox of this.#outboxes) for (const alert of alerts) await outbox.put(alert);
    await this.#feed?.add(alerts);
    if (this.#stdout === "none") return;
    const { color } = this.#context;
    for (const alert of alerts) {
      const text = this.#stdout === "json" ? `${JSON.stringify(alert)}\n` : formatAlert(alert, color);
      if (!(await this.#context.write(text))) throw unread();
    }
    // The state says that they were told: not before they have left this process.
    if (!(await this.#context.written())) throw unread();
  }
}

function unread(): Failure {
  return new Failure("BP-WATCH-004", EXIT.cannotWrite, "nobody reads the alerts on standard output any more");
}

function receivers({ webhooks, exec }: SinksConfig, offline: boolean): Receiver[] {
  return [
    ...webhooks.map((config): Receiver => ({
      // The path of a webhook's URL is often its password.
      name: `webhook ${new URL(config.url).origin} (${digest(config.url).slice(0, 8)})`,
      send: offline
        ? () => Promise.resolve("no socket is opened with --offline")
        : (alert, signal) => postAlert(config, alert, signal),
    })),
    ...exec.map((config): Receiver => ({
      name: `program ${config.command[0]} (${digest(JSON.stringify(config.command)).slice(0, 8)})`,
      send: (alert, signal) => runWithAlert(config, alert, signal),
    })),
  ];
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

const folderName = (name: string): string => digest(name).slice(0, 16);
