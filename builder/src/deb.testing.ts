/**
 * Writes Debian packages for tests: ar and tar by hand, so that every broken form can be written too.
 * @module
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatBytes, utf8 } from "@bootproof/bytes";
import { storeAsXz } from "./xz-stored.testing.ts";

/** A tar entry; what is left out is that of an ordinary file. */
export interface TestEntry {
  readonly name: string;
  /** The type flag of ustar; "0" is a file. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly linkname?: string;
  /** A size that the header claims instead of the content's. */
  readonly claimedSize?: number;
}

/** A member of an ar archive; what is left out is well-formed. */
export interface TestMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** A raw size field instead of the true one. */
  readonly sizeField?: string;
  readonly end?: string;
  readonly padding?: string;
}

/** One tar entry: header and padded content. */
export function tarEntry({
  name,
  type = "0",
  content = "",
  mode = 0o644,
  linkname = "",
  claimedSize,
}: TestEntry): Uint8Array<ArrayBuffer> {
  const bytes = typeof content === "string" ? utf8(content) : content;
  const header = new Uint8Array(512);
  const put = (offset: number, text: string): void => header.set(utf8(text), offset);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  put(0, name); // name
  put(100, octal(mode, 8)); // mode
  put(108, octal(0, 8)); // uid
  put(116, octal(0, 8)); // gid
  put(124, octal(claimedSize ?? bytes.length, 12)); // size
  put(136, octal(1, 12)); // mtime
  put(148, "        "); // chksum, as spaces while it is summed up
  put(156, type); // typeflag
  put(157, linkname); // linkname
  put(257, "ustar\x0000"); // magic, version
  put(
    148,
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
  );
  return concatBytes(header, bytes, new Uint8Array(-bytes.length & 511));
}

/** A whole tar. */
export const tarOf = (...entries: readonly TestEntry[]): Uint8Array<ArrayBuffer> =>
  concatBytes(...entries.map(tarEntry), new Uint8Array(1024));

/** An ar archive. */
export function arOf(...members: readonly TestMember[]): Uint8Array<ArrayBuffer> {
  const parts = members.map(
    ({ name, bytes, sizeField = String(bytes.length), end = "`\n", padding = "\n" }) =>
      concatBytes(
        utf8(
          `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${sizeField.padEnd(10)}${end}`,
        ),
        bytes,
        utf8(bytes.length % 2 === 0 ? "" : padding),
      ),
  );
  return concatBytes(utf8("!<arch>\n"), ...parts);
}

const COMPRESSORS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "": (bytes) => bytes,
  ".gz": (bytes) => new Uint8Array(gzipSync(bytes)),
  ".xz": (bytes) => storeAsXz(bytes),
  ".zst": (bytes) => new Uint8Array(zstdCompressSync(bytes)),
};

/** A package with `data` as its files; `cut` bytes are missing at the end of the compressed data. */
export function debOf(data: Uint8Array, ending = "", cut = 0): Uint8Array<ArrayBuffer> {
  const bytes = (COMPRESSORS[ending] ?? ((bytes) => bytes))(data);
  return arOf(
    { name: "debian-binary", bytes: utf8("2.0\n") },
    { name: "control.tar", bytes: tarOf({ name: "./control", content: "Package: test\n" }) },
    { name: `data.tar${ending}`, bytes: bytes.subarray(0, bytes.length - cut) },
  );
}

/** A package of these entries. */
export const debWith = (...entries: readonly TestEntry[]): Uint8Array<ArrayBuffer> =>
  debOf(tarOf(...entries));
