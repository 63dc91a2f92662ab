/**
 * What test/recipes/nsm-report printed on an enclave's console.
 * @module
 */
import { type CborValue, isCborMap, formatHex, parseHex, parseStrictCbor } from "@bootproof/bytes";

/** A file as the guest saw it, or `absent`. */
export type SeenFile =
  "absent" | Readonly<Record<"mode" | "owner" | "links" | "inode" | "size" | "content", string>>;

/** What an enclave saw of itself. */
export interface Report {
  /** PCR0 to PCR31 as the security module described them, in hex. */
  readonly pcrs: readonly string[];
  /** Which of them were locked. */
  readonly locked: readonly number[];
  readonly module: CborValue | undefined;
  /** The PCRs in the attestation document, in hex, by number. */
  readonly attested: ReadonlyMap<number, string>;
  readonly commandLine: string;
  readonly args: readonly string[];
  readonly variables: readonly string[];
  readonly folder: string;
  readonly user: string;
  readonly files: ReadonlyMap<string, SeenFile>;
}

/** What a console has at the end of a report. */
export const MARKERS: { readonly reportEnd: RegExp } = { reportEnd: /^report: end\n/m };

/** Reads a console; throws for one without a whole report. */
export function parseReport(console: string): Report {
  if (!MARKERS.reportEnd.test(console)) throw new Error(`no report on the console:\n${console}`);
  const all = (name: string): string[] =>
    [...console.matchAll(new RegExp(`^${name}: (.*)$`, "gm"))].map(([, text = ""]) => text);
  const one = (name: string): string => all(name)[0] ?? "";
  const replies = new Map(all("nsm").map((text) => splitLast(text)));
  const described = Array.from({ length: 32 }, (_, index) =>
    fieldsOf(reply(replies, `DescribePCR ${index}`), "DescribePCR"),
  );
  const document = fieldsOf(reply(replies, "Attestation"), "Attestation").get("document");
  return {
    pcrs: described.map((pcr) => bytesHex(pcr.get("data"))),
    locked: described.flatMap((pcr, index) => (pcr.get("lock") === true ? [index] : [])),
    module: fieldsOf(reply(replies, "DescribeNSM"), "DescribeNSM").get("module_id"),
    attested: attestedPcrs(document),
    commandLine: one("command line"),
    args: all("argument"),
    variables: all("variable"),
    folder: one("folder"),
    user: one("user"),
    files: new Map(all("file").map((text) => readFile(text))),
  };
}

function splitLast(text: string): [string, string] {
  const at = text.lastIndexOf(" ");
  return [text.slice(0, at), text.slice(at + 1)];
}

function reply(replies: ReadonlyMap<string, string>, name: string): CborValue {
  return parseStrictCbor(parseHex(replies.get(name) ?? "", name), name, LIMITS);
}

const LIMITS = { maxDepth: 4, maxItems: 200 };

function fieldsOf(value: CborValue | undefined, name: string): ReadonlyMap<CborValue, CborValue> {
  const fields = value !== undefined && isCborMap(value) ? value.get(name) : undefined;
  if (fields === undefined || !isCborMap(fields))
    throw new Error(`the security module's reply has no ${name}`);
  return fields;
}

function bytesHex(value: CborValue | undefined): string {
  if (!(value instanceof Uint8Array))
    throw new Error("the security module's reply has no bytes where a PCR is");
  return formatHex(value);
}

/** A COSE_Sign1 without a signature, for QEMU makes none: array of protected, unprotected, payload, signature. */
function attestedPcrs(document: CborValue | undefined): Map<number, string> {
  const envelope = parseStrictCbor(parseHex(bytesHex(document), "document"), "document", LIMITS);
  const payload = Array.isArray(envelope) ? (envelope[2] as CborValue) : undefined;
  const content = parseStrictCbor(parseHex(bytesHex(payload), "payload"), "payload", LIMITS);
  const pcrs = fieldsOf(content, "pcrs");
  return new Map([...pcrs].map(([index, value]) => [Number(index), bytesHex(value)]));
}

function readFile(text: string): [string, SeenFile] {
  const [path = "", ...facts] = text.split(" ");
  if (facts[0] === "absent") return [path, "absent"];
  const fields = Object.fromEntries(facts.map((fact) => fact.split("=", 2) as [string, string]));
  return [path, { ...NOTHING, ...fields }];
}

const NOTHING = { mode: "", owner: "", links: "", inode: "", size: "", content: "" };
