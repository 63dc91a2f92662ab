/**
 * Whether the kernel will unpack the ramdisks of an EIF. It gets all of them as one, back to back.
 * Linux init/initramfs.c (unpack_to_rootfs).
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import { startsCpio } from "../cpio-read.ts";
import { detectCompression } from "../initrd.ts";
import type { EifFinding } from "./finding.ts";
import type { EifSource, UntrustedEifSection } from "./layout.ts";

/** As much as any magic number needs. */
const HEAD = 8;
/** The kernel looks for archives at multiples of this only. */
const ALIGNMENT = 4;

/** What there is to know about the ramdisks' first bytes. */
export async function judgeRamdisks(
  source: EifSource,
  sections: readonly UntrustedEifSection[],
): Promise<EifFinding[]> {
  const findings: EifFinding[] = [];
  let start = 0;
  for (const [index, section] of sections.entries()) {
    if (section.type !== "ramdisk") continue;
    const head = await source.read(section.offset, Math.min(section.size, HEAD));
    findings.push(...judgeHead(head, start, { section, index }));
    start += section.size;
  }
  return findings;
}

interface Place {
  readonly section: UntrustedEifSection;
  readonly index: number;
}

function judgeHead(head: Uint8Array, start: number, place: Place): EifFinding[] {
  if (head.length === 0) return [];
  if (startsCpio(head, 0)) {
    if (start % ALIGNMENT === 0) return [];
    return [
      notice(place, "is not unpacked: the ramdisks before it do not end at a multiple of 4", {
        expected: "ramdisks padded with zeros to multiples of 4",
        found: `${start} bytes before it`,
      }),
    ];
  }
  const format = detectCompression(head);
  if (format === "gzip") return [];
  if (format !== undefined)
    return [notice(place, `is compressed with ${format}: not every kernel has the code to unpack it`)];
  const found = formatHex(head.subarray(0, 6));
  return [
    notice(place, "is neither a cpio archive nor compressed", { expected: "070701 (newc) or gzip", found }),
  ];
}

function notice(
  { section, index }: Place,
  what: string,
  detail: Pick<EifFinding, "expected" | "found"> = {},
): EifFinding {
  return {
    code: "BP-EIF-029",
    severity: "notice",
    message: `the ramdisk in section ${index} ${what}`,
    section: index,
    offset: section.offset,
    ...detail,
  };
}
