/**
 * Looks at keys.
 * @module
 */
import { formatVkey, parseVkey } from "@bootproof/bytes";
import { parseSigningKey } from "@bootproof/bytes/signing";

import { formatFields } from "../report/table.ts";
import { startsWith, textHead, type Inspector } from "./inspection.ts";

/** A public key, or a private one (of which only the public half is shown). */
export const inspectKey: Inspector = (bytes) => {
  const head = textHead(bytes, 300);
  const hidden = startsWith(bytes, "PRIVATE+KEY+");
  if (!hidden && !/^[^\s+]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\s*$/.test(textHead(bytes, 8192)))
    return undefined;
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
