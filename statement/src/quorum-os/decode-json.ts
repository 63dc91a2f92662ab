/**
 * Reads manifests and their envelopes from JSON, strictly: qos ignores members that v0 and v1 do not know, and a
 * manifest with such must not look as if they had been approved.
 * @module
 */
import { ParseError, parseHex, quote, type JsonValue } from "@bootproof/bytes";
import { checkIpAddress } from "./ip-address.ts";
import type {
  BridgeConfig,
  EnclaveConfig,
  ManifestVersion,
  PivotConfig,
  QuorumApproval,
  QuorumEnvelope,
  QuorumManifest,
  QuorumMember,
  QuorumSet,
} from "./manifest.ts";

/** As of Borsh. */
const MAX_ITEMS = 1000;

type JsonObject = Readonly<Record<string, JsonValue>>;

/** Whether JSON has the members of a manifest, or of an envelope around one. */
export function kindOfJson(value: JsonValue): "manifest" | "envelope" | undefined {
  if (!isObject(value)) return undefined;
  if ("namespace" in value && "pivot" in value && "enclave" in value) return "manifest";
  return "manifest" in value && kindOfJson(value["manifest"] ?? null) === "manifest" ? "envelope" : undefined;
}

/** Reads a manifest; throws {@link ParseError}. */
export function manifestOfJson(value: JsonValue): QuorumManifest {
  const version = versionOf(value);
  const inV2 = version === "v2";
  const object = members(
    value,
    "manifest",
    ["namespace", "pivot", "manifestSet", "shareSet", "enclave", ...(inV2 ? ["version"] : ["patchSet"])],
    inV2 ? ["dns"] : [],
  );
  const namespace = members(object["namespace"], "namespace", ["name", "nonce", "quorumKey"]);
  return {
    version,
    namespace: {
      name: text(namespace["name"], "namespace name"),
      nonce: whole(namespace["nonce"], "namespace nonce", 0xffff_ffff),
      quorumKey: hexBytes(namespace["quorumKey"], "quorum key"),
    },
    pivot: pivotOf(object["pivot"], version),
    manifestSet: setOf(object["manifestSet"], "manifest set"),
    shareSet: setOf(object["shareSet"], "share set"),
    enclave: enclaveOf(object["enclave"]),
    patchSet: inV2 ? undefined : patchSetOf(object["patchSet"]),
    dns: object["dns"] === undefined || object["dns"] === null ? undefined : dnsOf(object["dns"]),
  };
}

/** Reads an envelope; throws {@link ParseError}. */
export function envelopeOfJson(value: JsonValue): QuorumEnvelope {
  const manifest = manifestOfJson(isObject(value) ? (value["manifest"] ?? null) : null);
  // v0 alone spells these with underscores.
  const [byManifestSet, byShareSet] =
    manifest.version === "v0"
      ? ["manifest_set_approvals", "share_set_approvals"]
      : ["manifestSetApprovals", "shareSetApprovals"];
  const object = members(value, "manifest envelope", ["manifest", byManifestSet, byShareSet]);
  return {
    manifest,
    manifestSetApprovals: list(object[byManifestSet], "manifest set approvals").map(approvalOf),
    shareSetApprovals: list(object[byShareSet], "share set approvals").map(approvalOf),
  };
}

/** v0 has neither bridges nor a debug mode; v2 says that it is. */
function versionOf(value: JsonValue): ManifestVersion {
  const object = isObject(value) ? value : {};
  if ("version" in object) {
    if (object["version"] === "v2") return "v2";
    throw new ParseError("UNSUPPORTED", "manifest version", {
      expected: '"v2"',
      found: quote(JSON.stringify(object["version"])),
    });
  }
  const pivot = object["pivot"];
  return isObject(pivot) && ("bridgeConfig" in pivot || "debugMode" in pivot) ? "v1" : "v0";
}

function pivotOf(value: JsonValue | undefined, version: ManifestVersion): PivotConfig {
  const later = version === "v0" ? [] : ["bridgeConfig", "debugMode"];
  const object = members(
    value,
    "pivot",
    ["hash", "restart", "args", ...later],
    version === "v2" ? ["env"] : [],
  );
  const restart = object["restart"];
  if (restart !== "Never" && restart !== "Always")
    throw new ParseError("UNSUPPORTED", "restart policy", { expected: "Never or Always" });
  const debugMode = object["debugMode"] ?? false;
  if (typeof debugMode !== "boolean")
    throw new ParseError("BAD_ENCODING", "debug mode", { expected: "true or false" });
  const hash = hexBytes(object["hash"], "pivot hash");
  if (hash.length !== 32)
    throw new ParseError("OUT_OF_RANGE", "pivot hash", { expected: "32 bytes", found: `${hash.length}` });
  return {
    hash,
    restart,
    args: list(object["args"], "pivot args").map((arg) => text(arg, "pivot argument")),
    bridgeConfig: list(object["bridgeConfig"] ?? [], "bridge config").map(bridgeOf),
    debugMode,
    env: object["env"] === undefined ? [] : envOf(object["env"]),
  };
}

function bridgeOf(value: JsonValue): BridgeConfig {
  const object = members(value, "bridge config", ["type", "port"], ["host"]);
  const port = whole(object["port"], "bridge port", 0xffff);
  const host = object["host"] ?? undefined;
  if (object["type"] === "server") return { type: "server", port, host: text(host, "bridge host") };
  if (object["type"] !== "client")
    throw new ParseError("UNSUPPORTED", "bridge type", { expected: "server or client" });
  return { type: "client", port, host: host === undefined ? undefined : text(host, "bridge host") };
}

function envOf(value: JsonValue): (readonly [string, string])[] {
  if (!isObject(value)) throw new ParseError("BAD_ENCODING", "pivot env", { expected: "an object" });
  return Object.entries(value).map(([name, item]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,1023}$/.test(name))
      throw new ParseError("NOT_CANONICAL", "pivot env", {
        expected: "a variable's name",
        found: quote(name),
      });
    const { plain } = members(item, `pivot env ${name}`, ["plain"]);
    const { value: variable } = members(plain, `pivot env ${name}`, ["value"]);
    return [name, text(variable, `pivot env ${name}`)] as const;
  });
}

function setOf(value: JsonValue | undefined, field: string): QuorumSet {
  const object = members(value, field, ["threshold", "members"]);
  return {
    threshold: whole(object["threshold"], `${field} threshold`, 0xffff_ffff),
    members: list(object["members"], field).map(memberOf),
  };
}

function patchSetOf(value: JsonValue | undefined): NonNullable<QuorumManifest["patchSet"]> {
  const object = members(value, "patch set", ["threshold", "members"]);
  return {
    threshold: whole(object["threshold"], "patch set threshold", 0xffff_ffff),
    members: list(object["members"], "patch set").map((item) =>
      hexBytes(members(item, "patch set member", ["pubKey"])["pubKey"], "patch set member"),
    ),
  };
}

function enclaveOf(value: JsonValue | undefined): EnclaveConfig {
  const pcrs = ["pcr0", "pcr1", "pcr2", "pcr3"];
  const object = members(value, "enclave", [...pcrs, "awsRootCertificate", "qosCommit"]);
  return {
    pcrs: pcrs.map((name) => hexBytes(object[name], name)),
    awsRootCertificate: hexBytes(object["awsRootCertificate"], "AWS root certificate"),
    qosCommit: text(object["qosCommit"], "QOS commit"),
  };
}

function dnsOf(value: JsonValue): string[] {
  return list(members(value, "dns", ["resolvers"])["resolvers"], "dns resolvers").map((item) =>
    checkIpAddress(text(item, "dns resolver"), "dns resolver"),
  );
}

function memberOf(value: JsonValue): QuorumMember {
  const object = members(value, "member", ["alias", "pubKey"]);
  return { alias: text(object["alias"], "member alias"), pubKey: hexBytes(object["pubKey"], "member key") };
}

function approvalOf(value: JsonValue): QuorumApproval {
  const object = members(value, "approval", ["signature", "member"]);
  return {
    signature: hexBytes(object["signature"], "approval signature"),
    member: memberOf(object["member"] ?? null),
  };
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function members(
  value: JsonValue | undefined,
  field: string,
  required: readonly string[],
  optional: readonly string[] = [],
): JsonObject {
  if (!isObject(value)) throw new ParseError("BAD_ENCODING", field, { expected: "an object" });
  const unknown = Object.keys(value).find((key) => !required.includes(key) && !optional.includes(key));
  if (unknown !== undefined)
    throw new ParseError("UNSUPPORTED", field, {
      expected: [...required, ...optional].join(", "),
      found: quote(unknown),
    });
  const absent = required.find((key) => !Object.hasOwn(value, key));
  if (absent !== undefined) throw new ParseError("MISSING", `${field} ${absent}`);
  return value;
}

function list(value: JsonValue | undefined, field: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new ParseError("BAD_ENCODING", field, { expected: "a list" });
  if (value.length > MAX_ITEMS)
    throw new ParseError("TOO_LARGE", field, { expected: `at most ${MAX_ITEMS} items` });
  return value as readonly JsonValue[];
}

function text(value: JsonValue | undefined, field: string): string {
  if (typeof value !== "string") throw new ParseError("BAD_ENCODING", field, { expected: "text" });
  return value;
}

const hexBytes = (value: JsonValue | undefined, field: string): Uint8Array =>
  parseHex(text(value, field), field);

/** Numbers are numbers or text. */
function whole(value: JsonValue | undefined, field: string, most: number): number {
  const number = typeof value === "string" && /^(0|[1-9][0-9]{0,9})$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > most)
    throw new ParseError("OUT_OF_RANGE", field, { expected: `a whole number up to ${most}` });
  return number;
}
