/**
 * A rebuild's verdict as a signed confirmation: written to a file, and logged when asked for, negative ones too.
 * @module
 */
import { join } from "node:path";

import { formatHex } from "@bootproof/bytes";
import type { Signer } from "@bootproof/bytes/signing";
import {
  formatStatement,
  IN_TOTO_PAYLOAD_TYPE,
  makeRebuild,
  signEnvelope,
  type BootMeasurement,
  type Statement,
} from "@bootproof/statement";
import type { BundleVerdict } from "@bootproof/verify";

import { writeAnswer } from "../frame/files.ts";
import { PROGRAM } from "../releasing/make-release.ts";
import type { Rebuilt } from "./rebuild-release.ts";

/** What is confirmed, by whom, and where it goes. */
export interface ConfirmationRequest {
  readonly published: Statement<BootMeasurement>;
  readonly place: BundleVerdict["place"];
  readonly rebuilt: Rebuilt;
  readonly signer: Signer;
  readonly organisation: string;
  /** Folder for the files. */
  readonly folder: string;
  /** Puts the envelope into a log; undefined to submit nothing. */
  readonly submit: ((envelope: Uint8Array) => Promise<Submitted>) | undefined;
}

/** Where a confirmation is in a log. */
export interface Submitted {
  readonly index: bigint;
  readonly duplicate: boolean;
  /** Its bundle. */
  readonly bundle: Uint8Array;
}

/** A confirmation that was written. */
export interface Confirmation {
  /** The signed envelope. */
  readonly file: string;
  /** Its index and the file of its bundle, when it was submitted. */
  readonly submitted?: { readonly index: bigint; readonly duplicate: boolean; readonly bundle: string };
}

/** Signs, writes and, when asked, submits a confirmation. */
export async function confirmRebuild(request: ConfirmationRequest): Promise<Confirmation> {
  const { published, place, rebuilt, signer, organisation, folder } = request;
  const { verdict, artifacts, registers, actions, reason } = rebuilt;
  const statement = makeRebuild({
    of: { origin: place.origin, index: Number(place.index), leafHash: formatHex(place.leafHash) },
    verdict,
    artifacts,
    registers,
    actions,
    rebuilder: { name: signer.name.slice(0, 100), organisation },
    predictor: PROGRAM,
    ...(reason === undefined ? {} : { reason }),
  });
  const envelope = await signEnvelope(IN_TOTO_PAYLOAD_TYPE, formatStatement(statement), signer);
  const { name, version } = published.predicate.release;
  const stem = join(folder, `${name}-${version}.${signer.keyId}.${verdict.toLowerCase()}`);
  await writeAnswer(`${stem}.json`, envelope);
  if (request.submit === undefined) return { file: `${stem}.json` };
  const { index, duplicate, bundle } = await request.submit(envelope);
  await writeAnswer(`${stem}.tlog-proof`, bundle);
  return { file: `${stem}.json`, submitted: { index, duplicate, bundle: `${stem}.tlog-proof` } };
}
