/**
 * What the guests of a run have in common, made once.
 * @module
 */

/** Guests of a batch mostly share a few files; more than these are read anew, so that a long batch stays small. */
const MAX_KEPT = 32;

/** Values by key, the first time made and then kept for a while. */
export class Kept<Value> {
  readonly #values = new Map<string, Value>();

  /** The kept value of a key, or undefined. */
  peek(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** The value of a key, made when it is not kept. */
  get(key: string, make: () => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = make();
    if (this.#values.size >= MAX_KEPT) this.#values.clear();
    this.#values.set(key, value);
    return value;
  }
}
