/**
 * A witness over HTTP: `POST /add-checkpoint`, and `GET /<hex SHA-256 of an origin>/checkpoint` for monitors (C2SP
 * tlog-witness).
 * @module
 */
import { ADD_CHECKPOINT_PATH, MAX_ADD_CHECKPOINT_SIZE, type Witness } from "@bootproof/log";

import { messageOf, TEXT, type Answer } from "./http/answer.ts";
import { startServer, type Address, type Answered, type Route, type RunningServer } from "./http/frame.ts";
import type { Asked } from "./http/request.ts";

export type { Address, RunningServer } from "./http/frame.ts";

/** What is served. */
export interface WitnessService {
  readonly witness: () => Promise<Witness>;
  /** The origin with that hex SHA-256, when it is known. */
  readonly originOf: (hash: string) => Promise<string | undefined>;
  /** Hears of each answer, and of what went wrong. */
  readonly report: (line: string) => void;
}

const MONITORED = /^\/([0-9a-f]{64})\/checkpoint$/;

/** Starts to listen; rejects when the address cannot be had. */
export async function serveWitness(service: WitnessService, address: Address): Promise<RunningServer> {
  const add: Route = {
    name: ADD_CHECKPOINT_PATH,
    method: "POST",
    answer: (asked) => addCheckpoint(service, asked),
  };
  const show: Route = {
    name: "checkpoint",
    method: "GET",
    answer: (asked) => showCheckpoint(service, asked),
  };
  const route = (path: string): Route | undefined => {
    if (path === `/${ADD_CHECKPOINT_PATH}`) return add;
    if (path === "/healthz") return HEALTH;
    return MONITORED.test(path) ? show : undefined;
  };
  return startServer({ route, answered: (answered) => report(service, answered) }, address);
}

const HEALTH: Route = {
  name: "healthz",
  method: "GET",
  answer: () => ({ status: 200, type: TEXT, body: "ok\n" }),
};

async function addCheckpoint(service: WitnessService, asked: Asked): Promise<Answer> {
  const request = await asked.body(MAX_ADD_CHECKPOINT_SIZE);
  const witness = await service.witness();
  const { status, contentType, body, about } = await witness.addCheckpoint(request);
  const what = about === undefined ? "" : `${JSON.stringify(about.origin)} ${String(about.size)}`;
  const why = status === 200 ? "" : new TextDecoder().decode(body).trim();
  const message = [what, why].filter((part) => part !== "").join(": ");
  return { status, type: contentType, body, about: { message } };
}

async function showCheckpoint({ witness, originOf }: WitnessService, asked: Asked): Promise<Answer> {
  const origin = await originOf(MONITORED.exec(asked.path)?.[1] ?? "");
  const note = origin === undefined ? undefined : await (await witness()).latest(origin);
  if (note === undefined) return { status: 404, type: TEXT, body: "nothing cosigned\n" };
  const headers = ["cache-control", "no-cache", "access-control-allow-origin", "*"];
  return { status: 200, type: TEXT, body: note, headers };
}

/** Monitors are many and ask often, so only what was asked of the witness itself is told, and what went wrong. */
function report({ report: tell }: WitnessService, { route, status, about, error }: Answered): void {
  if (error !== undefined) tell(`500 ${route}: ${messageOf(error)}`);
  else if (route === ADD_CHECKPOINT_PATH)
    tell([`${status} ${route}`, about?.message ?? ""].join(" ").trimEnd());
}
