/**
 * The search itself: stage by stage, one climb at a time. It can be left between any two climbs, and its memory
 * does not grow with what it tries.
 * @module
 */
import type { Choice } from "./axis.ts";
import type { Found, Space, Stage } from "./space.ts";

/** Climbs that are remembered, so that no stage repeats an earlier one; later ones may be walked again. */
const MAX_REMEMBERED = 32_768;
/** Further names of the same digest that are kept. */
const MAX_HITS = 64;

/** A choice that gives the digest. */
export interface Hit extends Found {
  readonly choice: Choice;
  readonly key: string;
}

/** How far a stage came. */
export interface StageCount {
  readonly name: string;
  readonly digests: number;
  /** False when the search was left before the stage's end. */
  readonly complete: boolean;
}

/** Where a search is. */
export interface SearchProgress {
  readonly stage: string;
  /** Digests compared so far, in all stages. */
  readonly digests: number;
}

/** What a search found: hits of one stage, all of the same digest. */
export interface SearchResult {
  readonly hits: readonly Hit[];
  readonly stages: readonly StageCount[];
  readonly digests: number;
}

/** Searches for a needle; yields after each climb. Left early (`return`), it has found nothing. */
export class Search {
  readonly #space: Space;
  readonly #needles: readonly Uint8Array[];
  readonly #climbed = new Map<string, number>();
  readonly #hits: Hit[] = [];
  readonly #stages: StageCount[] = [];
  #digests = 0;

  constructor(space: Space, needles: readonly Uint8Array[]) {
    this.#space = space;
    this.#needles = needles;
  }

  /** What was found until now. */
  get result(): SearchResult {
    return { hits: this.#hits, stages: this.#stages, digests: this.#digests };
  }

  /** Walks the stages until one has a hit; yields after each climb, and can be left there. */
  *run(stages: Iterable<Stage>): Generator<SearchProgress, void, undefined> {
    for (const stage of stages) {
      const before = this.#digests;
      let complete = false;
      try {
        for (const choice of stage.choices) {
          this.#try(choice, stage.rungs);
          yield { stage: stage.name, digests: this.#digests };
        }
        complete = true;
      } finally {
        this.#stages.push({ name: stage.name, digests: this.#digests - before, complete });
      }
      if (this.#hits.length > 0) return;
    }
  }

  #try(choice: Choice, rungs: number): void {
    const climb = this.#space.climb(choice);
    if (climb instanceof Error) return;
    const [first] = this.#hits;
    if (first !== undefined) {
      // Different climbs do not meet: all that can still be found is another name of the same one.
      const { rung, needle, key } = first;
      if (climb.key === key && this.#isNews(choice, rung)) this.#hits.push({ choice, rung, needle, key });
      return;
    }
    if ((this.#climbed.get(climb.key) ?? -1) >= rungs) return;
    const found = climb.find(this.#needles, rungs);
    this.#digests += found?.rung ?? rungs;
    if (found !== undefined) this.#hits.push({ ...found, choice, key: climb.key });
    else if (this.#climbed.size < MAX_REMEMBERED || this.#climbed.has(climb.key))
      this.#climbed.set(climb.key, rungs);
  }

  /** Whether a hit differs from all others in something that matters. */
  #isNews(choice: Choice, rung: number): boolean {
    if (this.#hits.length >= MAX_HITS) return false;
    const said = this.#hits.map((hit) => this.#measured(hit.choice, hit.rung));
    return !said.includes(this.#measured(choice, rung));
  }

  #measured(choice: Choice, rung: number): string {
    const ignored = this.#space.ignored(choice, rung);
    return this.#space.axes.map(({ name }, index) => (ignored.has(name) ? "" : choice[index])).join();
  }
}
