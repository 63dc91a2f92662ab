/**
 * An ID block as lines for people and as JSON.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { IdBlock } from "@bootproof/measure/identity";

/** The fields of an ID block for programs. */
export function idBlockDocument(block: IdBlock): Readonly<Record<string, string | number>> {
  return {
    launchDigest: formatHex(block.launchDigest),
    familyId: formatHex(block.familyId),
    imageId: formatHex(block.imageId),
    version: block.version,
    guestSvn: block.guestSvn,
    policy: `0x${block.policy.toString(16)}`,
  };
}

/** The fields of an ID block for people. */
export function idBlockFields(block: IdBlock): [string, string][] {
  return [
    ["launch digest", formatHex(block.launchDigest)],
    ["family ID", identifier(block.familyId)],
    ["image ID", identifier(block.imageId)],
    ["version", String(block.version)],
    ["guest SVN", String(block.guestSvn)],
    ["policy", `0x${block.policy.toString(16)}`],
  ];
}

function identifier(bytes: Uint8Array): string {
  const hex = formatHex(bytes);
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\u0000+$/, "");
  return /^[ -~]+$/.test(text) ? `${hex} "${text}"` : hex;
}
