/**
 * Writes a newc archive whose bytes depend on nothing but names, modes and contents: sorted by name, owned by
 * root, inode numbers counted from 1, one link each, one time for all.
 * @module
 */
import { ByteWriter, utf8 } from "@bootproof/bytes";
import { compareBytes, type CpioDevice, CpioEncoder, type CpioMember } from "./cpio-encoder.ts";

/** One entry to write. */
export interface CpioInput {
  /** Relative path without `.` or `..`, as in `bin/busybox`. */
  readonly name: string;
  /** Type and permission bits, as in `0o100755`. */
  readonly mode: number;
  /** Contents of a file, or the target of a symbolic link. */
  readonly data?: Uint8Array;
  /** Device number of a device node. */
  readonly device?: CpioDevice;
}

/** What may vary between archives of the same entries. */
export interface CpioOptions {
  /** Seconds since 1970 for every entry; 0 when absent. */
  readonly mtime?: number;
}

/** The archive's bytes. Throws {@link RangeError} for entries that make no archive: bad or repeated names, data where none belongs. */
export function writeCpio(
  entries: Iterable<CpioInput>,
  { mtime = 0 }: CpioOptions = {},
): Uint8Array<ArrayBuffer> {
  const encoder = new CpioEncoder(mtime);
  const members = [...entries].map(asMember).sort((a, b) => compareBytes(a.name, b.name));
  const writer = new ByteWriter(
    members.reduce((sum, { name, data }) => sum + 128 + name.length + data.length, 512),
  );
  for (const member of members) {
    const { header, padding } = encoder.member(member);
    writer.bytes(header).bytes(member.data).zeros(padding);
  }
  return writer.bytes(encoder.end()).finish();
}

type MemberWithData = CpioMember & { readonly data: Uint8Array };

function asMember({ name, mode, data, device }: CpioInput): MemberWithData {
  return {
    name: utf8(name),
    mode,
    ...(data === undefined ? {} : { size: data.length }),
    ...(device === undefined ? {} : { device }),
    data: data ?? new Uint8Array(),
  };
}
