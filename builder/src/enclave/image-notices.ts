/**
 * What the EIF reader says of an image that was just assembled: a kernel that the loader cannot start, a command line
 * that means less than it shows.
 * @module
 */
import { open } from "node:fs/promises";
import { readEif } from "@bootproof/boot/eif";
import type { AssemblyFinding } from "./remembered.ts";

/** The findings in an EIF at `path`. */
export async function imageNotices(path: string): Promise<AssemblyFinding[]> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    const { findings } = await readEif({ name: path, size, read });
    return findings.map(({ code, message }) => ({ code, message }));
  } finally {
    await handle.close();
  }
}
