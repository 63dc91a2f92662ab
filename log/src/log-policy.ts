/**
 * Policies: which logs are known, which witnesses, and how many of them must have cosigned. C2SP tlog-policy
 * (draft of 2026-06). The text is octets; names are opaque, so they are kept one character an octet.
 * @module
 */
import {
  formatHex,
  parseDecimal,
  ParseError,
  parseUtf8,
  quote,
  utf8,
  parseVkey,
  KEY_TYPE,
  type KeyType,
  type Vkey,
} from "@bootproof/bytes";

/** Caps on hostile policies, well above the 32 of each that the specification asks for. */
const MAX_POLICY_SIZE = 1 << 20;
const MAX_DEFINITIONS = 1024;

/** A log whose checkpoints count. Its key name is its origin. */
export interface PolicyLog {
  readonly vkey: Vkey;
  readonly url?: string;
}

/** A witness whose cosignatures count. */
export interface PolicyWitness {
  readonly kind: "witness";
  /** Its name in this policy, and nowhere else. */
  readonly name: string;
  readonly vkey: Vkey;
  readonly url?: string;
}

/** Witnesses of which `threshold` must have cosigned. */
export interface PolicyGroup {
  readonly kind: "group";
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly PolicyMember[];
}

/** A witness or a group. */
export type PolicyMember = PolicyWitness | PolicyGroup;

/** A parsed policy. */
export interface LogPolicy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** What must have cosigned; "none" asks for no cosignature. */
  readonly quorum: PolicyMember | "none";
}

/** Parses a policy strictly; errors name the line. Throws {@link ParseError}. */
export function parseLogPolicy(text: string | Uint8Array): LogPolicy {
  const lines = policyLines(typeof text === "string" ? utf8(text) : text);
  const draft = new PolicyDraft();
  lines.forEach((line, at) => {
    const items = line.split(/[ \t]+/).filter((item) => item !== "");
    const [keyword, ...rest] = items;
    if (keyword === undefined || keyword.startsWith("#")) return;
    draft.take(keyword, rest, `policy line ${at + 1}`);
  });
  return draft.finish();
}

/** Whether the witnesses that `cosigned` names make the quorum. */
export function evaluateQuorum(
  { quorum }: Pick<LogPolicy, "quorum">,
  cosigned: (witness: PolicyWitness) => boolean,
): boolean {
  if (quorum === "none") return true;
  const counts = (member: PolicyMember): boolean =>
    member.kind === "witness" ? cosigned(member) : member.members.filter(counts).length >= member.threshold;
  return counts(quorum);
}

/** The definitions of a policy as they are read, line by line. */
class PolicyDraft {
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #names = new Map<string, PolicyMember>();
  readonly #used = new Set<string>();
  #quorum: PolicyMember | "none" | undefined;

  take(keyword: string, items: readonly string[], at: string): void {
    if (this.#names.size + this.#logs.length >= MAX_DEFINITIONS)
      throw new ParseError("TOO_LARGE", at, { expected: `at most ${MAX_DEFINITIONS} definitions` });
    if (keyword === "log") this.#takeLog(items, at);
    else if (keyword === "witness") this.#takeWitness(items, at);
    else if (keyword === "group") this.#takeGroup(items, at);
    else if (keyword === "quorum") this.#takeQuorum(items, at);
    else
      throw new ParseError("UNSUPPORTED", at, {
        expected: "log, witness, group or quorum",
        found: quote(keyword),
      });
  }

  finish(): LogPolicy {
    if (this.#quorum === undefined) throw new ParseError("MISSING", "policy", { expected: "a quorum line" });
    return { logs: this.#logs, witnesses: this.#witnesses, quorum: this.#quorum };
  }

  #takeLog(items: readonly string[], at: string): void {
    const [key, url, ...rest] = items;
    if (key === undefined || rest.length > 0) throw shape(at, "log <vkey> [<url>]");
    const vkey = keyOf(key, [KEY_TYPE.ed25519, KEY_TYPE.mlDsa44], at);
    refuseSameKey(vkey, this.#logs, at);
    this.#logs.push({ vkey, ...(url === undefined ? {} : { url }) });
  }

  #takeWitness(items: readonly string[], at: string): void {
    const [name, key, url, ...rest] = items;
    if (name === undefined || key === undefined || rest.length > 0)
      throw shape(at, "witness <name> <vkey> [<url>]");
    const vkey = keyOf(key, [KEY_TYPE.cosignature, KEY_TYPE.mlDsa44], at);
    refuseSameKey(vkey, this.#witnesses, at);
    const witness = { kind: "witness", name, vkey, ...(url === undefined ? {} : { url }) } as const;
    this.#define(witness, at);
    this.#witnesses.push(witness);
  }

  #takeGroup(items: readonly string[], at: string): void {
    const [name, count, ...names] = items;
    if (name === undefined || count === undefined || names.length === 0)
      throw shape(at, "group <name> all|any|<k> <name>...");
    const members = names.map((member) => this.#member(member, at));
    const threshold =
      count === "any"
        ? 1
        : count === "all"
          ? members.length
          : Number(parseDecimal(count, `${at} threshold`, BigInt(members.length)));
    if (threshold < 1)
      throw new ParseError("OUT_OF_RANGE", `${at} threshold`, { expected: "at least 1", found: count });
    this.#define({ kind: "group", name, threshold, members }, at);
  }

  #takeQuorum(items: readonly string[], at: string): void {
    const [name, ...rest] = items;
    if (name === undefined || rest.length > 0) throw shape(at, "quorum <name>|none");
    if (this.#quorum !== undefined) throw new ParseError("DUPLICATE", at, { found: "a second quorum line" });
    this.#quorum = name === "none" ? name : this.#known(name, at);
  }

  #define(member: PolicyMember, at: string): void {
    const { name } = member;
    if (name === "none") throw new ParseError("OUT_OF_RANGE", at, { found: 'the reserved name "none"' });
    if (this.#names.has(name)) throw new ParseError("DUPLICATE", at, { found: `${quote(name)} again` });
    this.#names.set(name, member);
  }

  #member(name: string, at: string): PolicyMember {
    const member = this.#known(name, at);
    if (this.#used.has(name))
      throw new ParseError("DUPLICATE", at, { found: `${quote(name)}, which is a member already` });
    this.#used.add(name);
    return member;
  }

  #known(name: string, at: string): PolicyMember {
    const member = this.#names.get(name);
    if (member === undefined)
      throw new ParseError("MISSING", at, { expected: "a name defined above", found: quote(name) });
    return member;
  }
}

const shape = (at: string, expected: string): ParseError => new ParseError("MISSING", at, { expected });

function keyOf(octets: string, types: readonly KeyType[], at: string): Vkey {
  const bytes = Uint8Array.from(octets, (octet) => octet.charCodeAt(0));
  const vkey = parseVkey(parseUtf8(bytes, `${at} vkey`));
  if (!types.includes(vkey.type))
    throw new ParseError("UNSUPPORTED", `${at} vkey type`, {
      expected: types.map((type) => `0x0${type}`).join(" or "),
      found: `0x0${vkey.type}`,
    });
  return vkey;
}

function refuseSameKey(vkey: Vkey, others: readonly { readonly vkey: Vkey }[], at: string): void {
  const key = formatHex(vkey.publicKey);
  if (others.some((other) => formatHex(other.vkey.publicKey) === key))
    throw new ParseError("DUPLICATE", at, { found: "a public key that is listed already" });
}

/** Lines of octets, one character an octet; the last one must be terminated too. */
function policyLines(bytes: Uint8Array): string[] {
  if (bytes.length > MAX_POLICY_SIZE)
    throw new ParseError("TOO_LARGE", "policy", {
      expected: `at most ${MAX_POLICY_SIZE} bytes`,
      found: `${bytes.length}`,
    });
  const offset = bytes.findIndex(
    (octet) => (octet < 0x20 && octet !== 0x09 && octet !== 0x0a) || octet === 0x7f,
  );
  if (offset >= 0)
    throw new ParseError("BAD_ENCODING", "policy", {
      offset,
      expected: "no control character but tab and line end",
      found: `0x${(bytes[offset] ?? 0).toString(16).padStart(2, "0")}`,
    });
  const text = Array.from(bytes, (octet) => String.fromCharCode(octet)).join("");
  if (!text.endsWith("\n")) throw new ParseError("TRUNCATED", "policy", { expected: "a final line end" });
  return text.slice(0, -1).split("\n");
}
