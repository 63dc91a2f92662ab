/**
 * What a guest may have booted directly instead of what was given: files swapped or left out, or no hashes of them.
 * @module
 */
import { sha256, type Sha256 } from "@bootproof/bytes";
import type { Axis, Candidate } from "../solve/axis.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import { type CmdlineGuess, terminated } from "./solve-cmdline.ts";

/** The direct boot that the user believes in; large files by their hashes alone. */
export interface BootClaim {
  readonly kernel: Sha256;
  readonly initrd?: Sha256 | undefined;
  /** Exact bytes of `-append`, without the NUL. */
  readonly cmdline?: Uint8Array | undefined;
  /** Whether the VMM adds the hashes; undefined: as is usual with a kernel, it does. */
  readonly hashes?: boolean | undefined;
}

/** How the files of a direct boot were passed. */
export type BootFiles = "as given" | "swapped" | "without initrd" | "kernel alone";

const NOTHING: Sha256 = sha256(new Uint8Array());

/** Whether kernel hashes are measured. Without a kernel there are none. */
export function hashesAxis(boot: BootClaim | undefined): Axis<boolean> {
  const name = "kernelHashes";
  const off: Candidate<boolean> = {
    value: false,
    label: "kernel hashes off",
    surprise: 1,
    cause: "QEMU adds the hashes only with kernel-hashes=on at its SEV object, and is silent without",
  };
  const on: Candidate<boolean> = {
    value: true,
    label: "kernel hashes on",
    surprise: 1,
    cause: "the VMM has kernel-hashes=on",
  };
  if (boot === undefined) return { name, standing: "assumed", candidates: [{ ...off, label: "no kernel" }] };
  const standing = boot.hashes === undefined ? "assumed" : "given";
  return { name, standing, candidates: boot.hashes === false ? [off, on] : [on, off] };
}

/** How kernel and initrd were passed. */
export function bootFilesAxis(boot: BootClaim | undefined): Axis<BootFiles> {
  const first: Candidate<BootFiles> = { value: "as given", label: "kernel and initrd as given", surprise: 0 };
  const others: Candidate<BootFiles>[] = [];
  if (boot?.initrd !== undefined)
    others.push(
      {
        value: "swapped",
        label: "kernel and initrd swapped",
        surprise: 2,
        cause: "the two file names stand in each other's place, here or at the VMM",
      },
      {
        value: "without initrd",
        label: "no initrd (or an empty one)",
        surprise: 1,
        cause: "the VMM was started without -initrd, or with an empty file: both measure the same",
      },
    );
  if (boot?.initrd !== undefined && boot.cmdline !== undefined)
    others.push({
      value: "kernel alone",
      label: "no initrd and no command line",
      surprise: 2,
      cause: "a unified kernel image carries both in itself",
    });
  return {
    name: "bootFiles",
    standing: boot === undefined ? "assumed" : "given",
    candidates: [first, ...others],
  };
}

/** The digests that a VMM puts into the table for these guesses. */
export function guessedBoot(boot: BootClaim, files: BootFiles, cmdline: CmdlineGuess): DirectBootDigests {
  const { kernel, initrd = NOTHING } = boot;
  switch (files) {
    case "as given":
      return { kernel, initrd, cmdline: cmdline.digest };
    case "swapped":
      return { kernel: initrd, initrd: kernel, cmdline: cmdline.digest };
    case "without initrd":
      return { kernel, initrd: NOTHING, cmdline: cmdline.digest };
    case "kernel alone":
      return { kernel, initrd: NOTHING, cmdline: terminated(new Uint8Array()).digest };
  }
}
