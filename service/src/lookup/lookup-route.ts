/**
 * `GET /v1/lookup/<digest>`: which entries hold a digest, or were signed as a key. Whoever asks is told entries and not
 * whether to believe them: their bundles, verified, say that.
 * @module
 */
import { parseDecimal, ParseError } from "@bootproof/bytes";
import type { LogReader } from "@bootproof/log";
import { parseWanted, type Wanted } from "@bootproof/verify";

import { jsonAnswer, Refused, type Answer } from "../http/answer.ts";
import type { Route } from "../http/frame.ts";
import { Gate } from "../http/gate.ts";
import type { Asked } from "../http/request.ts";
import type { LookupIndex, LookupMatch } from "./lookup-index.ts";

const PREFIX = "/v1/lookup/";
const LIMIT = 100;
const MAX_LIMIT = 1000n;
/** A public key of ML-DSA-44 in base64, escaped. */
const MAX_PATH = 8192;
/** Places in one entry that are told: a release may hold one register thousands of times. */
const MAX_WHAT = 16;

/** What is looked into. */
export interface LookupService {
  readonly index: LookupIndex;
  readonly origin: string;
  /** The tree that is public now. */
  readonly reader: () => Promise<LogReader>;
}

/** Lookups that read entry bundles at once, each up to 16 MiB. */
const gate = new Gate(4);

/** The route of a path below `/v1/lookup/`; undefined for every other path. */
export function lookupRoute(service: LookupService, path: string): Route | undefined {
  if (!path.startsWith(PREFIX)) return undefined;
  return { name: "lookup", method: "GET", answer: (asked) => answer(service, asked) };
}

async function answer({ index, origin, reader }: LookupService, asked: Asked): Promise<Answer> {
  const wanted = readWanted(asked.path.slice(PREFIX.length));
  const parameters = asked.parameters(["from", "limit"]);
  const from = readNumber("from", parameters.get("from") ?? "0", 2n ** 63n - 1n);
  const limit = Number(readNumber("limit", parameters.get("limit") ?? String(LIMIT), MAX_LIMIT));
  const tree = await reader();
  const size = index.entries < tree.head.size ? index.entries : tree.head.size;
  const { matches, unsearched, next } = await gate.pass(() => index.find(tree, wanted, { from, limit }));
  return jsonAnswer(200, {
    schema: "bootproof/log-lookup/1",
    origin,
    // How many entries were looked into; the log may have grown since.
    size: Number(size),
    matches: matches.map(formatMatch),
    ...(unsearched.length === 0 ? {} : { unsearched: unsearched.map(Number) }),
    ...(next === undefined ? {} : { next: Number(next) }),
  });
}

function formatMatch({ index, kind, what, release, signers }: LookupMatch): object {
  const left = what.length - MAX_WHAT;
  const places = left > 0 ? [...what.slice(0, MAX_WHAT), `and ${left} more`] : what;
  return { index: Number(index), kind, what: places, release, signers };
}

function readWanted(escaped: string): Wanted {
  const expected = "a digest of 32, 48 or 64 bytes in hex, NAME+KEYID, or a public key";
  const bad = (found: string): Refused =>
    new Refused({ status: 400, code: "BP-SERVE-004", message: `${found}; expected ${expected}` });
  if (escaped.length > MAX_PATH) throw bad("the path is too long");
  try {
    const wanted = parseWanted(decodeURIComponent(escaped));
    if (wanted !== undefined) return wanted;
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof URIError)) throw error;
    throw bad(error.message);
  }
  throw bad("that is no digest");
}

function readNumber(name: string, text: string, limit: bigint): bigint {
  try {
    return parseDecimal(text, name, limit);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new Refused({ status: 400, code: "BP-SERVE-004", message: error.message });
  }
}
