/**
 * What a verb is run with: its options, where answers and progress go, and the signal that ends it.
 * @module
 */
import { Progress, type StepView } from "../report/progress.ts";
import { noSteps, stepLines } from "../report/step-lines.ts";
import { stepTree } from "../report/step-tree.ts";
import type { GlobalOptions } from "./options.ts";
import { commandName } from "./typed.ts";

/** Where text goes; process.stdout and process.stderr are such. */
export interface Sink {
  write(text: string, written?: () => void): unknown;
  /** What a stream has taken and not yet written. */
  readonly writableLength?: number;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Streams that have taken enough for now say false from `write`, and `drain` when they take more. */
  once?(event: string, listener: () => void): unknown;
}

/** The world a verb sees. */
export interface Surroundings {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

/** What a verb is run with. */
export class Context {
  readonly options: GlobalOptions;
  readonly env: Surroundings["env"];
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Whether colour is shown on stdout. */
  readonly color: boolean;
  readonly #surroundings: Surroundings;
  #reader: Reader | undefined;

  constructor(options: GlobalOptions, surroundings: Surroundings) {
    this.options = options;
    this.#surroundings = surroundings;
    this.env = surroundings.env;
    this.cwd = surroundings.cwd;
    this.signal = surroundings.signal;
    this.color = showsColor(options, surroundings.env, surroundings.stdout);
    this.progress = new Progress((roots) => this.#view(roots));
  }

  /** What to type for `bootproof` here. */
  get command(): string {
    return commandName(this.#surroundings);
  }

  /**
   * Prints the answer: text for people, or the document with `--json`; to `--out` when given. A function makes the
   * document when it is asked for.
   */
  async answer(text: string, document: object | (() => Promise<object>)): Promise<void> {
    this.progress.close();
    const answer = this.options.json ? `${JSON.stringify(await made(document), undefined, 2)}\n` : text;
    if (this.options.out === undefined) this.#surroundings.stdout.write(answer);
    else await (await import("./files.ts")).writeAnswer(this.options.out, answer);
  }

  /** Prints the answer on stdout, also when `--out` names the place of the results. */
  say(text: string, document: object): void {
    this.progress.close();
    this.#surroundings.stdout.write(this.options.json ? `${JSON.stringify(document, undefined, 2)}\n` : text);
  }

  /** Prints a part of a long answer on stdout, no faster than it is read; false once the reader has left. */
  async write(text: string): Promise<boolean> {
    this.progress.close();
    this.#reader ??= new Reader(this.#surroundings.stdout);
    return await this.#reader.take(text);
  }

  /** Waits until what was given to `write` is out of this process' hands; false once the reader has left. */
  async written(): Promise<boolean> {
    return (await this.#reader?.flush()) ?? true;
  }

  /** Writes lines on stderr that are for programs: a journal. */
  journal(text: string): void {
    this.progress.close();
    this.#surroundings.stderr.write(text);
  }

  /** Says something on stderr that is not the answer; not with `--quiet`. */
  note(text: string): void {
    if (!this.options.quiet) this.progress.line(`bootproof: ${text}`);
  }

  #view(roots: Parameters<typeof stepTree>[1]): StepView {
    const { stderr, env } = this.#surroundings;
    if (this.options.quiet) return noSteps();
    const live = stderr.isTTY === true && env["CI"] === undefined && env["TERM"] !== "dumb";
    if (!live) return stepLines((text) => stderr.write(text));
    return stepTree(
      {
        write: (text) => stderr.write(text),
        get columns() {
          // A pseudo-terminal without a size says 0.
          return stderr.columns === undefined || stderr.columns === 0 ? 80 : stderr.columns;
        },
        get rows() {
          return stderr.rows === undefined || stderr.rows === 0 ? 24 : stderr.rows;
        },
        color: showsColor(this.options, env, stderr),
        now: () => performance.now(),
      },
      roots,
    );
  }
}

/** Who reads what is written to a sink. That they left has to be heard: Node brings a destroyed stdout back to life. */
class Reader {
  readonly #sink: Sink;
  #left = false;
  #wake = (): void => undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
    for (const event of ["close", "error"]) sink.once?.(event, () => this.#leave());
  }

  /** Gives the reader a text and waits until more is wanted; false once they have left. */
  async take(text: string): Promise<boolean> {
    if (!this.#left && this.#sink.write(text) === false)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#sink.once?.("drain", resolve);
      });
    return !this.#left;
  }

  /** Waits until everything is written: a process that is killed loses what its streams still hold. */
  async flush(): Promise<boolean> {
    if (!this.#left && (this.#sink.writableLength ?? 0) > 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#sink.write("", resolve);
      });
    return !this.#left;
  }

  #leave(): void {
    this.#left = true;
    this.#wake();
  }
}

const made = async (document: object | (() => Promise<object>)): Promise<object> =>
  document instanceof Function ? await document() : document;

/** Whether colour is shown on a sink: as asked, else NO_COLOR, else on terminals only. */
export function showsColor(
  options: Pick<GlobalOptions, "color">,
  env: Surroundings["env"],
  sink: Pick<Sink, "isTTY">,
): boolean {
  if (options.color !== undefined) return options.color;
  if ((env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb") return false;
  return sink.isTTY === true;
}
