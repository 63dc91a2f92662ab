/**
 * What a verb is doing, as a tree of steps: redrawn in place on a terminal, one line a change
 * elsewhere, nothing with `--quiet`.
 * @module
 */

/** How a step stands. */
export type StepState = "running" | "done" | "failed";

/** One step of the work, which may have steps below it. */
export interface Step {
  readonly label: string;
  /** Labels of the steps above it, outermost first. */
  readonly above: readonly string[];
  readonly startedAt: number;
  readonly steps: readonly Step[];
  readonly state: StepState;
  readonly endedAt: number | undefined;
  /** What it is at right now, or how it ended. */
  readonly note: string;
  /** Starts a step below this one. */
  step(label: string): Step;
  /** Says what the step is at. */
  update(note: string): void;
  /** Ends the step, with a word on how. */
  done(note?: string): void;
  /** Ends the step, and says that it failed. */
  failed(note?: string): void;
}

/** Draws steps somewhere; told of each change. */
export interface StepView {
  changed(step: Step, depth: number, change: "started" | "updated" | "ended"): void;
  /** Text printed above or between the steps. */
  line(text: string): void;
  /** Leaves the final state on the screen. */
  close(): void;
}

/** The steps of one verb and the view that shows them. */
export class Progress {
  readonly roots: Step[] = [];
  readonly #view: (roots: readonly Step[]) => StepView;
  #opened: StepView | undefined;
  readonly #now: () => number;

  constructor(view: (roots: readonly Step[]) => StepView, now: () => number = () => performance.now()) {
    this.#view = view;
    this.#now = now;
  }

  /** Starts a step of the first level. */
  step(label: string): Step {
    const step = new LiveStep(label, [], this.#now, () => this.#open());
    this.roots.push(step);
    this.#open().changed(step, 0, "started");
    return step;
  }

  /** Runs work as a step: done when it returns, failed when it throws. */
  async during<Result>(label: string, work: (step: Step) => Promise<Result>): Promise<Result> {
    const step = this.step(label);
    try {
      const result = await work(step);
      if (step.state === "running") step.done();
      return result;
    } catch (error) {
      if (step.state === "running") step.failed();
      throw error;
    }
  }

  /** Prints a line between the steps. */
  line(text: string): void {
    this.#open().line(text);
  }

  /** Stops drawing; safe to call twice. */
  close(): void {
    this.#opened?.close();
    this.#opened = undefined;
  }

  #open(): StepView {
    this.#opened ??= this.#view(this.roots);
    return this.#opened;
  }
}

class LiveStep implements Step {
  readonly label: string;
  readonly startedAt: number;
  readonly steps: Step[] = [];
  state: StepState = "running";
  endedAt: number | undefined;
  note = "";
  readonly above: readonly string[];
  readonly #now: () => number;
  readonly #view: () => StepView;

  constructor(label: string, above: readonly string[], now: () => number, view: () => StepView) {
    this.label = label;
    this.startedAt = now();
    this.above = above;
    this.#now = now;
    this.#view = view;
  }

  step(label: string): Step {
    const step = new LiveStep(label, [...this.above, this.label], this.#now, this.#view);
    this.steps.push(step);
    this.#view().changed(step, step.above.length, "started");
    return step;
  }

  update(note: string): void {
    if (this.state !== "running") return;
    this.note = note;
    this.#view().changed(this, this.above.length, "updated");
  }

  done(note?: string): void {
    this.#end("done", note);
  }

  failed(note?: string): void {
    this.#end("failed", note);
  }

  #end(state: "done" | "failed", note = ""): void {
    if (this.state !== "running") return;
    for (const step of this.steps) step[state]();
    this.state = state;
    this.endedAt = this.#now();
    this.note = note;
    this.#view().changed(this, this.above.length, "ended");
  }
}
