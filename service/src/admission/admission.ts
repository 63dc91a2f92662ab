/**
 * Who may add what to a log. A statement is admitted when a key of the operator's list signed it, alone, and every name
 * in it is that publisher's; what a second reader could read differently is refused before it is read at all.
 * @module
 */
import { ParseError, type Sha256 } from "@bootproof/bytes";
import {
  checkSignatures,
  envelopeIdentity,
  IN_TOTO_PAYLOAD_TYPE,
  keyidOf,
  MAX_ENVELOPE,
  parseEnvelope,
  parseStatement,
  type UntrustedEnvelope,
} from "@bootproof/statement";
import { isWithin, readStatement, type ReadStatement } from "@bootproof/verify";

import { hasUnsafeKeys, valuesRefused } from "./content.ts";
import { namesOf, type AboutLog } from "./named.ts";
import { parsePublishers, type LogPublisher } from "./publishers.ts";
import { QuotaLedger, type QuotaState } from "./quota.ts";

/** A statement that may be appended. */
export interface Admitted {
  /** The leaf: the body, byte for byte. */
  readonly entry: Uint8Array;
  readonly identity: Sha256;
  /** Organisation of who signed it. */
  readonly publisher: string;
  readonly keyid: string;
  /** Gives back what it took from the quota, when it was there already or was not appended. */
  readonly giveBack: () => void;
}

/** Why a statement may not be appended. */
export interface Refusal {
  readonly status: 400 | 403 | 413 | 415 | 422 | 429 | 503;
  readonly code: RefusalCode;
  /** What was found and what to do, lower case. */
  readonly message: string;
  /** Seconds after which trying again may help. */
  readonly retryAfter?: number;
  /** The identity of a statement that only a quota refuses: when the log has it already, that is the answer. */
  readonly identity?: Sha256;
}

/** Why a statement was refused; a closed set, each with a page. */
export type RefusalCode =
  /** Too large for a leaf. */
  | "BP-ADMIT-001"
  /** No envelope in its one spelling. */
  | "BP-ADMIT-002"
  /** Not exactly one signature. */
  | "BP-ADMIT-003"
  /** A key that is not in the list. */
  | "BP-ADMIT-004"
  /** A signature that does not verify. */
  | "BP-ADMIT-005"
  /** A payload that is no statement. */
  | "BP-ADMIT-006"
  /** A malformed statement. */
  | "BP-ADMIT-007"
  /** A predicate type that its publisher may not use. */
  | "BP-ADMIT-008"
  /** A predicate that breaks the rules of its type. */
  | "BP-ADMIT-009"
  /** Names of others. */
  | "BP-ADMIT-010"
  /** A rebuild of no release of this log. */
  | "BP-ADMIT-011"
  /** A quota that is used up. */
  | "BP-ADMIT-012";

/** What admission goes by. */
export interface AdmissionOptions {
  /** POSIX seconds. */
  readonly now: () => number;
  /** The log whose entries rebuilds are about. */
  readonly log: AboutLog;
  /** Names the list in errors. */
  readonly file?: string;
  /** What was used of the quotas before, as an earlier process noted it. */
  readonly used?: QuotaState | undefined;
}

/** Whether the log has an entry already. */
export type IsThere = () => Promise<boolean>;

/** Decides over what is sent. */
export interface Admission {
  /** `isThere` says whether the log has these bytes already: that costs nothing, whoever sends them again. */
  admit(body: Uint8Array, isThere?: IsThere): Promise<Admitted | Refusal>;
  readonly quotas: QuotaLedger;
  readonly publishers: readonly LogPublisher[];
}

/** Opens admission by the text of a list of publishers; throws AdmissionError when it cannot be used. */
export function openAdmission(publishersText: string, options: AdmissionOptions): Admission {
  const publishers = parsePublishers(publishersText, options.file);
  return makeAdmission(publishers, options.log, new QuotaLedger(options.now, options.used));
}

/** Admission by publishers that were read before. */
export function makeAdmission(
  publishers: readonly LogPublisher[],
  log: AboutLog,
  quotas: QuotaLedger,
): Admission {
  return {
    publishers,
    quotas,
    admit: (body, isThere = () => Promise.resolve(false)) =>
      admit(body, isThere, { publishers, log, quotas }),
  };
}

interface Given {
  readonly publishers: readonly LogPublisher[];
  readonly log: AboutLog;
  readonly quotas: QuotaLedger;
}

async function admit(
  body: Uint8Array,
  isThere: IsThere,
  { publishers, log, quotas }: Given,
): Promise<Admitted | Refusal> {
  const signed = openSigned(body, publishers);
  if ("code" in signed) return signed;
  const { envelope, publisher } = signed;
  const keyid = keyidOf(publisher.key);
  const read = openStatement(envelope, publisher);
  if ("code" in read) return read;
  const refused = await namesRefused(read, publisher, log);
  if (refused !== undefined) return refused;
  const identity = envelopeIdentity(envelope);
  const admitted = { entry: body, identity, publisher: publisher.organisation, keyid };
  if (await isThere()) return { ...admitted, giveBack: () => undefined };
  const taken = quotas.take(keyid, publisher.quota, { bytes: body.length, identity });
  if (!taken.ok) {
    const message = `the quota of ${keyid} is used up for today: ${taken.found}; try again tomorrow (UTC)`;
    return { status: 429, code: "BP-ADMIT-012", message, retryAfter: taken.retryAfter, identity };
  }
  return { ...admitted, giveBack: taken.giveBack };
}

/** The envelope and whose it is; every check before the signature's is cheap. */
function openSigned(
  body: Uint8Array,
  publishers: readonly LogPublisher[],
): { readonly envelope: UntrustedEnvelope; readonly publisher: LogPublisher } | Refusal {
  if (body.length > MAX_ENVELOPE)
    return refuse(413, "BP-ADMIT-001", `${body.length} bytes; a leaf has at most ${MAX_ENVELOPE}`);
  const envelope = attempt(() => parseEnvelope(body));
  if (typeof envelope === "string")
    return refuse(400, "BP-ADMIT-002", `${envelope}; send the envelope as bootproof wrote it`);
  const [signature, second] = envelope.signatures;
  if (signature === undefined || second !== undefined)
    return refuse(
      400,
      "BP-ADMIT-003",
      `${envelope.signatures.length} signatures; send one statement by one key`,
    );
  const publisher = publishers.find(({ key }) => keyidOf(key) === signature.keyid);
  if (publisher === undefined)
    return refuse(403, "BP-ADMIT-004", "signed as a key that may not publish here; ask the log's operator");
  const [checked] = checkSignatures(envelope, [publisher.key]);
  if (checked?.outcome !== "valid")
    return refuse(403, "BP-ADMIT-005", "the signature does not verify; sign the statement again");
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE)
    return refuse(415, "BP-ADMIT-006", `the payload is no ${IN_TOTO_PAYLOAD_TYPE}`);
  return { envelope, publisher };
}

/** The statement, when its publisher may make such statements. */
function openStatement(
  { unverifiedPayload }: UntrustedEnvelope,
  { may, organisation }: LogPublisher,
): ReadStatement | Refusal {
  if (hasUnsafeKeys(unverifiedPayload))
    return refuse(
      422,
      "BP-ADMIT-007",
      "the statement has a key that readers treat differently: __proto__ and the like",
    );
  const statement = attempt(() => parseStatement(unverifiedPayload));
  if (typeof statement === "string") return refuse(422, "BP-ADMIT-007", statement);
  if (!may.includes(statement.predicateType))
    return refuse(403, "BP-ADMIT-008", `${organisation} may not publish statements of this predicate type`);
  const read = attempt(() => readStatement(statement));
  if (typeof read === "string") return refuse(422, "BP-ADMIT-009", read);
  const reason = attempt(() => valuesRefused(read) ?? read);
  return typeof reason === "string" ? refuse(422, "BP-ADMIT-009", reason) : read;
}

async function namesRefused(
  read: ReadStatement,
  { subjects, organisation }: LogPublisher,
  log: AboutLog,
): Promise<Refusal | undefined> {
  const named = await namesOf(read, log);
  if ("reason" in named) return refuse(422, "BP-ADMIT-011", named.reason);
  if ("elsewhere" in named)
    return subjects === "any"
      ? undefined
      : refuse(
          422,
          "BP-ADMIT-011",
          "it is about a release in another log; only who may name anything may say so",
        );
  const others = named.names.filter((name) => !isWithin(subjects, name));
  if (others.length === 0) return undefined;
  const spaces = subjects === "any" ? "any" : subjects.join(", ");
  return refuse(
    403,
    "BP-ADMIT-010",
    `${organisation} may speak about ${spaces}, not about ${others[0] ?? ""}`,
  );
}

const refuse = (status: Refusal["status"], code: RefusalCode, message: string): Refusal => ({
  status,
  code,
  message,
});

/** What a parser reads, or its refusal in words. */
function attempt<T extends object>(read: () => T | string): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}
