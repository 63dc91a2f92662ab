/**
 * Logs on folders with real statements in them, to be watched.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

import { formatHex, sha256, sha384, utf8 } from "@bootproof/bytes";
import { makeSigningKey, signerOf, type Signer, type SigningKey } from "@bootproof/bytes/signing";
import { Log } from "@bootproof/log";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeBootMeasurement,
  signEnvelope,
} from "@bootproof/statement";
import { DirectoryHead, DirectoryObjects } from "@bootproof/store";
import { makeAlert } from "@bootproof/verify/monitor";

import type { Context } from "../frame/context.ts";
import { alertDocument, type AlertDocument } from "./alert-text.ts";

export const keyOf = (name: string): SigningKey =>
  makeSigningKey(name, new Uint8Array(createHash("sha256").update(name).digest()));

export const LOG_KEY: SigningKey = keyOf("log.test");
export const PUBLISHER: SigningKey = keyOf("acme.test");
export const STRANGER: SigningKey = keyOf("stranger.test");

/** Of a watcher that says nothing but its alerts. */
export const quiet = (json: boolean): Context["options"] => ({
  json,
  out: undefined,
  quiet: true,
  verbose: false,
  offline: false,
  color: false,
  input: false,
  store: undefined,
});

const digests = (text: string): { sha256: string; sha384: string } => ({
  sha256: formatHex(sha256(utf8(text))),
  sha384: formatHex(sha384(utf8(text))),
});
const blob = (text: string): { sha256: string; size: number } => ({
  sha256: digests(text).sha256,
  size: text.length,
});

/** A release of one kernel that a TDX guest reports by its contents. */
export function releaseEntry(
  name: string,
  version: string,
  kernel = `${name} ${version}`,
  by: SigningKey = PUBLISHER,
): Promise<Uint8Array> {
  const statement = makeBootMeasurement({
    release: { name, version },
    artifacts: [{ name: "vmlinuz", kind: "kernel", size: kernel.length, ...digests(kernel) }],
    build: { recipe: blob("recipe"), lock: blob("lock"), provenance: blob("provenance"), actions: [] },
    measurements: [{ platform: "tdx", shape: {}, registers: { MRTD: digests(kernel).sha384 } }],
    predictor: { name: "bootproof", version: "0.1.0" },
  });
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signerOf(by));
}

/** Starts or opens the log at a folder and appends to it; the same key may have several. */
export async function addTo(
  folder: string,
  entries: readonly Uint8Array[],
  signer: Signer = signerOf(LOG_KEY),
): Promise<void> {
  const place = {
    origin: signer.name,
    signer,
    objects: await DirectoryObjects.open(folder),
    staging: await DirectoryObjects.open(join(`${folder}.private`, "staging")),
    head: await DirectoryHead.open(join(`${folder}.private`, "head")),
  };
  const isThere = (await place.objects.get("checkpoint")) !== undefined;
  const log = isThere ? await Log.open(place) : await Log.create(place);
  try {
    await log.append([...entries]);
  } finally {
    await log.close();
  }
}

/** An alert for sinks, each `subject` with an ID of its own. */
export const alertAbout = (subject: string): AlertDocument =>
  alertDocument(
    makeAlert({
      rule: "new-statement",
      severity: "alarm",
      origin: "log.test",
      subject,
      entries: [3n],
      summary: `${subject} was published`,
      details: { "signed as": "somebody" },
      observed: 1_700_000_000,
    }),
  );
