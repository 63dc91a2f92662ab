/**
 * What failures of a database mean to the one who asked: above all, whether a write may have happened.
 * @module
 */
import { errnoOf, StoreError } from "./store-error.ts";

/** Whether the statement could change something. */
export type StatementKind = "read" | "write";

const RESTART = "check that the server runs and can be reached, then open the log again";

/** Turns what the driver threw into a {@link StoreError}; `state` is the server's SQLSTATE, when it answered. */
export function postgresError(
  action: string,
  kind: StatementKind,
  cause: unknown,
  state: string | undefined,
): StoreError {
  if (cause instanceof StoreError) return cause;
  const why =
    cause instanceof Error ? firstLine(cause.message) || (errnoOf(cause) ?? cause.name) : "no answer";
  // Class 08: connection; 57P: the server is stopping or was told to end this session, also while it commits.
  if (state === undefined || state.startsWith("08") || state.startsWith("57P"))
    return kind === "write"
      ? unknownOutcome(action, why, cause)
      : new StoreError("BP-STORE-030", `cannot ${action}: ${why}`, { cause, hint: RESTART });
  if (state === "53100" || state === "58030")
    return new StoreError(state === "53100" ? "BP-STORE-001" : "BP-STORE-002", `cannot ${action}: ${why}`, {
      cause,
    });
  if (state === "25006") return standBy(cause);
  return new StoreError("BP-STORE-036", `cannot ${action}: ${why} (SQLSTATE ${state})`, { cause });
}

/** The answer to a write was lost: it happened or it did not. */
export function unknownOutcome(action: string, why: string, cause?: unknown): StoreError {
  return new StoreError("BP-STORE-034", `cannot tell whether this happened: ${action}: ${why}`, {
    cause,
    hint: "open the log again: it reads what was committed and goes on from there",
  });
}

/** This server takes no writes. */
export function standBy(cause?: unknown): StoreError {
  return new StoreError(
    "BP-STORE-037",
    "this PostgreSQL server takes no writes: a stand-by, or set read-only",
    {
      cause,
      hint: "connect to the primary",
    },
  );
}

function firstLine(text: string): string {
  const [first = ""] = text.split("\n");
  return first.slice(0, 300);
}
