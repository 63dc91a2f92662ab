/**
 * The file that describes a program which signs: what to run, with which public key, and how long it may take. JSON,
 * strict: {"schema": "bootproof/signer/1", "command": ["/usr/bin/sign"], "vkey": "...", "timeoutSeconds": 10,
 * "environment": ["NAME"]}.
 * @module
 */
import { type JsonValue, parseStrictJson, parseVkey, type Vkey } from "@bootproof/bytes";

import { readList, readRecord, readText, readWhole } from "../frame/strict-fields.ts";

/** How a program that signs is run. */
export interface SigningProgram {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Names of the variables of our environment that it gets besides PATH. */
  readonly environment: readonly string[];
}

/** A program that signs, and the key whose signatures it makes. */
export interface SignerCommand extends SigningProgram {
  readonly vkey: Vkey;
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
  const vkey = parseVkey(readText(record["vkey"], `${FIELD} vkey`, { max: 4096 }), `${FIELD} vkey`);
  return { ...programOf(record), vkey };
}

/** Like {@link parseSignerCommand}, where a certificate says which key it is; throws {@link ParseError}. */
export function parseSigningProgram(bytes: Uint8Array): SigningProgram {
  return programOf(
    readRecord(parseStrictJson(bytes, FIELD), FIELD, {
      schema: SCHEMA,
      required: ["command"],
      optional: ["timeoutSeconds", "environment"],
    }),
  );
}

function programOf(record: Readonly<Record<string, JsonValue>>): SigningProgram {
  const { timeoutSeconds, environment } = record;
  return {
    command: readList(record["command"], `${FIELD} command`, { min: 1, max: 64 }).map((word, at) =>
      readText(word, `${FIELD} command ${at}`, { max: 4096, pattern: /^[^\0]*$/, expected: "no NUL" }),
    ),
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
