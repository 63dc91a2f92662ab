/**
 * The file that describes a program which signs: what to run, with which public key, and how long it may take. JSON,
 * strict: {"schema": "bootproof/signer/1", "command": ["/usr/bin/sign"], "vkey": "...", "timeoutSeconds": 10,
 * "environment": ["NAME"]}.
 * @module
 */
import { parseStrictJson, parseVkey, type Vkey } from "@bootproof/bytes";

import { readList, readRecord, readText, readWhole } from "../frame/strict-fields.ts";

/** A program that signs. */
export interface SignerCommand {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly vkey: Vkey;
  readonly timeoutSeconds: number;
  /** Names of the variables of our environment that it gets besides PATH. */
  readonly environment: readonly string[];
}

const SCHEMA = "bootproof/signer/1";
const FIELD = "signer";
const DEFAULT_TIMEOUT = 30;

/** Reads the file; throws {@link ParseError}. */
export function parseSignerCommand(bytes: Uint8Array): SignerCommand {
  const record = readRecord(parseStrictJson(bytes, FIELD), FIELD, {
    schema: SCHEMA,
    required: ["command", "vkey"],
    optional: ["timeoutSeconds", "environment"],
  });
  const { timeoutSeconds, environment } = record;
  return {
    command: readList(record["command"], `${FIELD} command`, { min: 1, max: 64 }).map((word, at) =>
      readText(word, `${FIELD} command ${at}`, { max: 4096, pattern: /^[^\0]*$/, expected: "no NUL" }),
    ),
    vkey: parseVkey(readText(record["vkey"], `${FIELD} vkey`, { max: 4096 }), `${FIELD} vkey`),
    timeoutSeconds:
      timeoutSeconds === undefined
        ? DEFAULT_TIMEOUT
        : readWhole(timeoutSeconds, `${FIELD} timeoutSeconds`, { min: 1, max: 600 }),
    environment: readList(environment ?? [], `${FIELD} environment`, { min: 0, max: 64 }).map((name, at) =>
      readText(name, `${FIELD} environment ${at}`, {
        max: 255,
        pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
        expected: "the name of a variable",
      }),
    ),
  };
}
