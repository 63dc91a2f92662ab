/**
 * Whether the process lives, and whether it may be sent entries.
 * @module
 */
import { messageOf, TEXT, type Answer } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import type { Sequencer } from "../sequencing/sequencer.ts";

/** How long witnesses may be missing, or a log may need to recover, before no entries should be sent here. */
const PATIENCE_MS = 30_000;

/** `/healthz`: answers while the process does. */
export const HEALTH: Route = {
  name: "healthz",
  method: "GET",
  answer: () => ({ status: 200, type: TEXT, body: "ok\n" }),
};

/** What was found wrong with the log's files; nothing takes it back but a restart. */
export interface Damage {
  error: unknown;
}

/** `/readyz`: says no, and why, while entries sent here would not come out. */
export function readiness(sequencer: Pick<Sequencer, "status">, damage: Damage): Route {
  return { name: "readyz", method: "GET", answer: () => readyAnswer(sequencer, damage) };
}

function readyAnswer(sequencer: Pick<Sequencer, "status">, { error }: Damage): Answer {
  const { state, failing } = sequencer.status();
  const reason =
    error === undefined ? reasonNot(state, failing) : `the log's files are damaged: ${messageOf(error)}`;
  return reason === undefined
    ? { status: 200, type: TEXT, body: "ready\n" }
    : { status: 503, type: TEXT, body: `not ready: ${reason}\n` };
}

function reasonNot(
  state: ReturnType<Sequencer["status"]>["state"],
  failing: ReturnType<Sequencer["status"]>["failing"],
): string | undefined {
  switch (state) {
    case "stopped":
      return "this server takes no more entries";
    case "frozen":
      return "the log is frozen";
    case "opening":
      return "the log is being opened";
    case "recovering":
      return `the log cannot be written to${failing === undefined ? "" : `: ${messageOf(failing.error)}`}`;
    case "writing":
    case "stand-by":
      return failing !== undefined && Date.now() - failing.since > PATIENCE_MS
        ? `nothing could be published for a while: ${messageOf(failing.error)}`
        : undefined;
  }
}
