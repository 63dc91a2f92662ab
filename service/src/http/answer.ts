/**
 * What a route answers, and what the frame answers in its place. Only answers that say so may be kept by caches: an
 * error that a cache keeps as immutable would hide a tile for a week.
 * @module
 */

/** Plain text. */
export const TEXT = "text/plain; charset=utf-8";
/** JSON. */
const JSON_TYPE = "application/json; charset=utf-8";

/** An answer to a request. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  /** Further headers: names and values, one after the other. */
  readonly headers?: readonly string[];
  /** What the journal says about it besides: who it was for, and why it was refused. */
  readonly about?: { readonly publisher?: string; readonly code?: string; readonly message?: string };
  /** Whether nothing more is read from this connection. */
  readonly close?: boolean;
}

/** Why a request is not answered as asked. */
export interface Refusal {
  readonly status: number;
  /** Stable: `BP-SERVE-…` or `BP-ADMIT-…`. */
  readonly code: string;
  /** Lower case, no full stop; shown to whoever asked. */
  readonly message: string;
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number;
  readonly headers?: readonly string[];
  readonly close?: boolean;
}

/** Thrown by a route to refuse; the frame answers. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** A refusal as a line of text, which is how files and witnesses are refused. */
export function refuseAsText(refusal: Refusal): Answer {
  return refused(refusal, TEXT, `${refusal.message}\n`);
}

/** A refusal as `{"error": {code, message}}`, which is how an API refuses. */
export function refuseAsJson(refusal: Refusal): Answer {
  const { code, message } = refusal;
  return refused(refusal, JSON_TYPE, `${JSON.stringify({ error: { code, message } })}\n`);
}

/** An answer of a JSON document. */
export function jsonAnswer(status: number, document: object): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(document)}\n` };
}

function refused(refusal: Refusal, type: string, body: string): Answer {
  const { status, code, message, retryAfter, headers = [], close = false } = refusal;
  const wait = retryAfter === undefined ? [] : ["retry-after", String(retryAfter)];
  return { status, type, body, headers: [...headers, ...wait], about: { code, message }, close };
}

/** The words of an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
