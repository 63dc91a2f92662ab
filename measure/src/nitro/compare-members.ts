/**
 * Two ramdisks, member by member: which file differs, and in what. Most differences between two builds are times, owners,
 * inode numbers or order, which a digest tells nobody.
 * @module
 */
import { formatHex, ParseError, sha384 } from "@bootproof/bytes";
import { parseInitrd } from "@bootproof/boot";

/** What a ramdisk's archive says of one member. */
export interface RamdiskMember {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly inode: number;
  readonly links: number;
  readonly size: number;
  /** SHA-384 of its contents, lower-case hex. */
  readonly sha384: string;
}

/** The members of a ramdisk in order, or why it has none that can be listed. */
export type RamdiskListing = { readonly members: readonly RamdiskMember[] } | { readonly problem: string };

/** Lists a ramdisk's members; compressed ones are not unpacked, and malformed ones say so. */
export function listRamdisk(bytes: Uint8Array): RamdiskListing {
  try {
    const parts = parseInitrd(bytes);
    const compressed = parts.find((part) => part.kind === "compressed");
    if (compressed !== undefined) return { problem: `compressed with ${compressed.format}` };
    const entries = parts.flatMap((part) => (part.kind === "cpio" ? part.entries : []));
    return {
      members: entries.map(({ name, mode, uid, gid, mtime, inode, links, data }) => ({
        name,
        mode,
        uid,
        gid,
        mtime,
        inode,
        links,
        size: data.length,
        sha384: formatHex(sha384(data)),
      })),
    };
  } catch (error) {
    if (error instanceof ParseError) return { problem: error.message };
    throw error;
  }
}

/** Members told one by one of each kind of difference; the rest is counted. */
const TOLD = 8;

/** What differs between two ramdisks, a line each. */
export function compareMembers(a: readonly RamdiskMember[], b: readonly RamdiskMember[]): string[] {
  const [inA, inB] = [latest(a), latest(b)];
  const both = [...inA.values()].flatMap((one) => {
    const other = inB.get(one.name);
    return other === undefined ? [] : [[one, other] as const];
  });
  const lines = [
    ...told(
      "only in A",
      [...inA.keys()].filter((name) => !inB.has(name)),
    ),
    ...told(
      "only in B",
      [...inB.keys()].filter((name) => !inA.has(name)),
    ),
    ...FIELDS.flatMap(({ what, of }) =>
      told(
        what,
        both
          .filter(([one, other]) => of(one) !== of(other))
          .map(([one, other]) => `${shown(one.name)} (${of(one)} and ${of(other)})`),
      ),
    ),
  ];
  if (lines.length > 0) return lines;
  const order = a.findIndex(({ name }, index) => b[index]?.name !== name);
  if (order < 0)
    return ["the members are the same: padding, device numbers or what follows the archive differ"];
  return [
    `the same members in another order, from member ${order} on: ${nameAt(a, order)} and ${nameAt(b, order)}`,
  ];
}

/** Why builds differ so, when every line is of one kind. */
export function memberCause(lines: readonly string[]): string | undefined {
  const all = (prefix: string): boolean => lines.length > 0 && lines.every((line) => line.startsWith(prefix));
  if (all("mtime")) return "set SOURCE_DATE_EPOCH, and give every file that time";
  if (all("inode")) return "number inodes from 1: cpio --reproducible";
  if (all("owner")) return "give every file to 0:0: cpio -R 0:0";
  return all("the same members in another order")
    ? "sort the names before the archive is written"
    : undefined;
}

interface Field {
  readonly what: string;
  readonly of: (member: RamdiskMember) => string;
}

const FIELDS: readonly Field[] = [
  {
    what: "contents differ",
    of: ({ size, sha384: digest }) => `${size} bytes, sha384 ${digest.slice(0, 16)}...`,
  },
  { what: "mode differs", of: ({ mode }) => `0${mode.toString(8)}` },
  { what: "owner differs", of: ({ uid, gid }) => `${uid}:${gid}` },
  { what: "mtime differs", of: ({ mtime }) => `${mtime}` },
  { what: "link count differs", of: ({ links }) => `${links}` },
  { what: "inode differs", of: ({ inode }) => `${inode}` },
];

/** The kernel unpacks in order, so of two members with one name the later stays. */
const latest = (members: readonly RamdiskMember[]): Map<string, RamdiskMember> =>
  new Map(members.map((member) => [member.name, member]));

function told(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > TOLD ? `, and ${items.length - TOLD} more` : "";
  return [`${what}: ${items.slice(0, TOLD).join(", ")}${more}`];
}

const nameAt = (members: readonly RamdiskMember[], index: number): string =>
  shown(members[index]?.name ?? "nothing");
const shown = (name: string): string => (/^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name));
