/**
 * Building an EIF and measuring it in one pass: the threads that hash the sections also write them.
 * @module
 */
import { writeEifFile, type EifFileInput, type EifTransfer } from "@bootproof/builder/eif-file";
import type { EifDigests } from "@bootproof/measure/nitro";
import { checksumOf, hashPlaces, type EifFileDigests, type HashOptions } from "./hash-eif.ts";

/** How a build is watched, and who signs the image. */
export interface BuildEifOptions extends HashOptions {
  /** Permissions of the file; 0644 by default. */
  readonly mode?: number | undefined;
  /** Makes the signature section, of the digests of all others. */
  readonly sign?: ((digests: EifDigests) => Promise<Uint8Array>) | undefined;
}

/**
 * Writes an EIF at `path`, whole or not at all, and gives its digests; those of a signature section that `sign` made are
 * not among them, for no register depends on it. Throws a Failure or a BuildError BP-EIF-060 to 062.
 */
export async function buildEifFile(
  input: EifFileInput,
  path: string,
  { mode, sign, ...options }: BuildEifOptions = {},
): Promise<EifFileDigests> {
  let digests: EifDigests | undefined;
  const copy = async (output: number, sections: readonly EifTransfer[]): Promise<number[]> => {
    const places = sections.map(({ type, size, source, target }) => ({ type, size, data: source, target }));
    const name = sections.map((section) => section.name).join(", ");
    const hashed = await hashPlaces(places, { ...options, name, checksums: true, output });
    digests = hashed.digests;
    return sections.map(({ size }, index) => checksumOf(hashed.shared, index, size));
  };
  const made = (): EifDigests => {
    if (digests === undefined) throw new Error("the image was written and not hashed");
    return digests;
  };
  const { crc32 } = await writeEifFile(input, path, {
    mode,
    signal: options.signal,
    copy,
    sign: sign === undefined ? undefined : () => sign(made()),
  });
  return { ...made(), crc32 };
}
