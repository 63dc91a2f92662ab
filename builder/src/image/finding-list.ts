/**
 * Findings, one for each kind, with the first few places it was seen at.
 * @module
 */
import type { ImageFindingCode } from "./image-error-code.ts";
import type { ImageFinding } from "./image.ts";

const SHOWN = 3;

const WHAT: Readonly<Partial<Record<ImageFindingCode, string>>> = {
  "BP-IMAGE-101": "a ramdisk carries no file capabilities, so these programs lose them",
  "BP-IMAGE-102": "a ramdisk carries no access lists or extended attributes, so these lose them",
  "BP-IMAGE-105": "device nodes are kept",
  "BP-IMAGE-107": "bookkeeping of AUFS is left out",
};

/** Collects findings. */
export class FindingList {
  readonly #places = new Map<ImageFindingCode, { count: number; readonly first: string[] }>();
  readonly #others: ImageFinding[] = [];

  /** Notes one more place of a kind. */
  note(code: ImageFindingCode, place: string): void {
    const places = this.#places.get(code) ?? { count: 0, first: [] };
    places.count++;
    if (places.first.length < SHOWN && !places.first.includes(place)) places.first.push(place);
    this.#places.set(code, places);
  }

  /** Adds a finding with a message of its own. */
  add(code: ImageFindingCode, message: string): void {
    this.#others.push({ code, message });
  }

  /** All findings, by code. */
  all(): ImageFinding[] {
    const places = [...this.#places].map(([code, { count, first }]) => {
      const more = count > first.length ? ` and ${count - first.length} more` : "";
      return { code, message: `${WHAT[code] ?? code}: ${first.join(", ")}${more}` };
    });
    return [...places, ...this.#others].sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
  }
}
