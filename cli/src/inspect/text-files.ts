/**
 * Looks at what people and `lock` write: recipes, locks, keys.
 * @module
 */
import { formatFields } from "../report/table.ts";
import { startsWith, textHead, type Inspector } from "./inspection.ts";

/** A public key, or a private one (of which only the public half is shown). */
export const inspectKey: Inspector = async (bytes) => {
  const head = textHead(bytes, 300);
  const hidden = startsWith(bytes, "PRIVATE+KEY+");
  if (!hidden && !/^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\s*$/.test(textHead(bytes, 8192)))
    return undefined;
  const { formatVkey, parseSigningKey, parseVkey } = await import("@bootproof/bytes");
  const line = (hidden ? head : textHead(bytes, 8192)).trim();
  const key = hidden ? parseSigningKey(line).vkey : parseVkey(line);
  const kind = hidden ? "private-key" : "vkey";
  const fields: [string, string][] = [
    ["kind", hidden ? "private key (only its public half is shown)" : "public key"],
    ["name", key.name],
    ["key ID", key.keyId],
    ["vkey", formatVkey(key)],
  ];
  return {
    kind,
    text: formatFields(fields),
    document: { name: key.name, keyId: key.keyId, vkey: formatVkey(key) },
  };
};

/** A lock, by its format line. */
export const inspectLock: Inspector = async (bytes, file) => {
  const { LOCK_FORMAT, parseLock } = await import("@bootproof/builder");
  if (!textHead(bytes).includes(LOCK_FORMAT)) return undefined;
  const lock = parseLock(await utf8(bytes), file);
  const fields: [string, string][] =
    lock.form === "composing"
      ? [
          ["kind", "lock of a composing recipe"],
          ...lock.components.map(({ name, lock: sha256 }): [string, string] => [name, sha256]),
        ]
      : [
          ["kind", "lock"],
          ["suite", lock.request.suite],
          ["packages", String(lock.packages.length)],
          ["source files", String(lock.sources.length)],
          ["bytes", String([...lock.packages, ...lock.sources].reduce((sum, { size }) => sum + size, 0))],
          ...lock.releases.map(({ suite, date }): [string, string] => [`Release of ${suite}`, date]),
        ];
  return { kind: "lock", text: formatFields(fields), document: lock };
};

/** A recipe, by its name or its first keys. */
export const inspectRecipe: Inspector = async (bytes, file) => {
  const head = textHead(bytes, 65_536);
  if (!file.endsWith(".recipe.yaml") && !(/^name:/m.test(head) && /^outputs:/m.test(head))) return undefined;
  const { parseRecipe } = await import("@bootproof/builder");
  const recipe = parseRecipe(await utf8(bytes), file);
  const fields: [string, string][] = [
    ["kind", `${recipe.form} recipe`],
    ["name", `${recipe.name} ${recipe.version}`],
    ...Object.entries(recipe.outputs).map(([name, { kind }]): [string, string] => [
      "output",
      `${name} (${kind})`,
    ]),
    ...recipe.platforms.map(({ platform, vcpus, cpu }): [string, string] => [
      "platform",
      `${platform}, ${cpu.join(" ")}, ${String(vcpus.length)} vCPU counts`,
    ]),
  ];
  return { kind: "recipe", text: formatFields(fields), document: recipe };
};

async function utf8(bytes: Uint8Array): Promise<string> {
  const { parseUtf8 } = await import("@bootproof/bytes");
  return parseUtf8(bytes, "text");
}
