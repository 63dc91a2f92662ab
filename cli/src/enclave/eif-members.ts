/**
 * The members of an EIF's ramdisks, for those who ask: the only part of looking at a file that reads a ramdisk whole.
 * @module
 */
import type { EifReading, EifSource } from "@bootproof/boot/eif";
import { ParseError } from "@bootproof/bytes";

import { listMembers } from "../inspect/boot-files.ts";

/** The members of one ramdisk. */
export interface MembersOf {
  /** Which of the file's ramdisks, from 0. */
  readonly ramdisk: number;
  readonly offset: number;
  readonly parts?: readonly object[];
  /** Why it has no members that can be listed. */
  readonly problem?: string;
  readonly text: string;
}

/** As large as an initrd that `inspect` reads. */
const MAX_RAMDISK = 2 ** 30;

/** Lists every ramdisk that a loader finds, one after the other. */
export async function readMembers(source: EifSource, { table, walk }: EifReading): Promise<MembersOf[]> {
  const sections = table.length > 0 ? table : walk;
  const all: MembersOf[] = [];
  for (const { type, offset, size } of sections) {
    if (type !== "ramdisk") continue;
    const ramdisk = all.length;
    const lines = (text: string): string => `ramdisk ${ramdisk}: ${text}`;
    if (size > MAX_RAMDISK) {
      const problem = `larger than ${MAX_RAMDISK} bytes`;
      all.push({ ramdisk, offset, problem, text: lines(`${problem}\n`) });
      continue;
    }
    try {
      const { parts, text } = listMembers(await source.read(offset, size));
      all.push({ ramdisk, offset, parts, text: lines(`offsets are the ramdisk's own\n${text}`) });
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      all.push({ ramdisk, offset, problem: error.message, text: lines(`${error.message}\n`) });
    }
  }
  return all;
}
