/**
 * What the kernel in an EIF says of itself.
 * @module
 */
import { parseKernel } from "@bootproof/boot";
import type { EifReading, EifSource } from "@bootproof/boot/eif";
import { ParseError } from "@bootproof/bytes";

/** The real-mode part of a kernel, where its version stands, is at most 32 KiB. */
const HEAD = 2 ** 16;
const ARM64_MAGIC_AT = 0x38;
const ARM64_MAGIC = "ARM\u0064";

/** Kind and version of the only kernel; undefined where there is none, or several. */
export async function describeKernel(
  source: EifSource,
  { table, walk }: EifReading,
): Promise<string | undefined> {
  const sections = table.length > 0 ? table : walk;
  const [kernel, second] = sections.filter(({ type }) => type === "kernel");
  if (kernel === undefined || second !== undefined) return undefined;
  const head = await source.read(kernel.offset, Math.min(kernel.size, HEAD));
  if (Buffer.from(head).toString("latin1", ARM64_MAGIC_AT, ARM64_MAGIC_AT + 4) === ARM64_MAGIC)
    return "arm64 Image";
  try {
    const header = parseKernel(head);
    if (header === undefined) return "neither a bzImage nor an arm64 Image";
    return `${header.loadedHigh ? "bzImage" : "zImage"}, calls itself ${header.version ?? "nothing"}`;
  } catch (error) {
    if (error instanceof ParseError) return `a bzImage whose header cannot be read: ${error.message}`;
    throw error;
  }
}
