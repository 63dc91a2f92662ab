/**
 * What the kernel in an EIF says of itself.
 * @module
 */
import { parseKernel } from "@bootproof/boot";
import type { EifReading, EifSource } from "@bootproof/boot/eif";
import { ParseError } from "@bootproof/bytes";

/** What the only kernel says of itself. */
export interface KernelShown {
  /** Kind and version. */
  readonly text: string;
  /** Bytes that it declares and its section does not hold. */
  readonly lacking: number;
}

/** A bzImage's real-mode part, where its version stands, has at most 256 sectors. */
const HEAD = 2 ** 17;
const ARM64_MAGIC_AT = 0x38;
const ARM64_MAGIC = "ARM\u0064";

/** The only kernel; undefined where there is none, or several. */
export async function describeKernel(
  source: EifSource,
  { table, walk }: EifReading,
): Promise<KernelShown | undefined> {
  const sections = table.length > 0 ? table : walk;
  const [kernel, second] = sections.filter(({ type }) => type === "kernel");
  if (kernel === undefined || second !== undefined) return undefined;
  const head = await source.read(kernel.offset, Math.min(kernel.size, HEAD));
  if (Buffer.from(head).toString("latin1", ARM64_MAGIC_AT, ARM64_MAGIC_AT + 4) === ARM64_MAGIC)
    return { text: "arm64 Image", lacking: 0 };
  try {
    const header = parseKernel(head);
    if (header === undefined) return { text: "neither a bzImage nor an arm64 Image", lacking: 0 };
    const { loadedHigh, version = "nothing", declaredLength = 0 } = header;
    return {
      text: `${loadedHigh ? "bzImage" : "zImage"}, calls itself ${version}`,
      lacking: Math.max(0, declaredLength - kernel.size),
    };
  } catch (error) {
    if (error instanceof ParseError)
      return { text: `a bzImage whose header cannot be read: ${error.message}`, lacking: 0 };
    throw error;
  }
}
