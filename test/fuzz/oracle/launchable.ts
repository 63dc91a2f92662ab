/**
 * Whether a guest with an image can launch, judged without the engine: what QEMU and KVM refuse has no digest.
 * @module
 */
import type { OracleImage, OracleSection } from "./firmware-image.ts";

const KERNEL_HASHES = 0x10;
const FOUR_GIB = 2 ** 32;

/** Why the image does not launch, or undefined when it does. */
export function refusal(image: OracleImage, kernelHashes: boolean): string | undefined {
  const { sections, size } = image;
  if (sections.length === 0) return "no sections";
  // Owners of pages: the image is the first.
  const taken: [start: number, end: number][] = [[FOUR_GIB - size, FOUR_GIB]];
  let pages = 0;
  for (const section of sections) {
    const [start, end] = [section.address, section.address + section.size];
    if (start % 4096 !== 0 || section.size % 4096 !== 0 || section.size === 0) return "page bounds";
    if (end > FOUR_GIB) return "beyond 4 GiB";
    if (taken.some(([from, to]) => start < to && from < end)) return "overlap";
    taken.push([start, end]);
    pages += section.size / 4096;
  }
  // Ours, not QEMU's: 64 MiB of sections are more than any image asks for.
  if (pages > 16_384) return "too many pages";
  return kernelHashes ? tableRefusal(image, sections) : undefined;
}

function tableRefusal({ hashTable }: OracleImage, sections: readonly OracleSection[]): string | undefined {
  const [section, second] = sections.filter(({ type }) => type === KERNEL_HASHES);
  if (section === undefined || second !== undefined) return "kernel hashes section";
  if (hashTable === undefined || hashTable.address === 0 || hashTable.size < 176) return "hash table area";
  const inPage = hashTable.address % 4096;
  if (hashTable.address - inPage !== section.address) return "hash table in another page";
  return inPage + 176 > section.size ? "hash table beyond its section" : undefined;
}
