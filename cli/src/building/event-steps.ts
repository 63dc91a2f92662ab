/**
 * What the builder tells, as a tree of steps; the build logs' paths when each log is begun.
 * @module
 */
import type { BuildEvent } from "@bootproof/builder";

import type { Step, Progress } from "../report/progress.ts";

/** Shows builder events below a step, and remembers where the logs are. */
export class EventSteps {
  readonly #top: Step;
  readonly #progress: Progress;
  readonly #components = new Map<string, Step>();
  readonly #steps = new Map<string, Step>();
  readonly #logs = new Map<string, string>();

  constructor(progress: Progress, top: Step) {
    this.#progress = progress;
    this.#top = top;
  }

  /** Each component's log, in the order in which they were begun. */
  get logs(): readonly (readonly [string, string])[] {
    return [...this.#logs].map(([path, component]) => [component, path] as const);
  }

  /** Takes one event. */
  take(event: BuildEvent): void {
    this.#noteLog(event);
    const parent = this.#component(event.component);
    if (event.step === undefined) {
      // A recipe alone is the top step, which its caller ends.
      const note = event.state === "cached" ? "cached" : "";
      if (event.component === "") parent.update(note);
      else parent.done(note);
      return;
    }
    const key = `${event.component}\n${event.step}`;
    const step = this.#steps.get(key) ?? parent.step(event.step);
    this.#steps.set(key, step);
    switch (event.state) {
      case "start":
        break;
      case "progress":
        step.update(event.detail ?? "");
        break;
      case "done":
        step.done(step.note);
        this.#steps.delete(key);
        break;
      case "cached":
        // Only a build as a whole is cached.
        break;
      case "fail":
        step.failed();
        this.#steps.delete(key);
        break;
    }
  }

  /** Ends the steps of every component. */
  finish(): void {
    for (const [name, step] of this.#components) if (name !== "") step.done();
  }

  #component(name: string): Step {
    if (name === "") return this.#top;
    const known = this.#components.get(name);
    if (known !== undefined) return known;
    const step = this.#top.step(name);
    this.#components.set(name, step);
    return step;
  }

  #noteLog({ component, logPath }: BuildEvent): void {
    if (logPath === undefined || this.#logs.has(logPath)) return;
    this.#logs.set(logPath, component);
    this.#progress.line(`log${component === "" ? "" : ` of ${component}`}: ${logPath}`);
  }
}
