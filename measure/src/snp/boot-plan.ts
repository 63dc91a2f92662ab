/**
 * What a guest boots directly, as files: which of it is measured, and what a person should know about it.
 * @module
 */
import { ParseError, utf8 } from "@bootproof/bytes";
import { commandLineNotes, parseKernel } from "@bootproof/boot";
import { MeasureError } from "../measure-error.ts";
import type { MeasureWarning } from "../measurement.ts";
import { type DirectBoot, type DirectBootDigests, hashDirectBoot, type HashedFile } from "./kernel-hashes.ts";

/** The files of a direct boot. */
export interface BootInputs {
  readonly kernel?: Uint8Array | undefined;
  readonly initrd?: Uint8Array | undefined;
  /** Exact bytes of `-append`; text is taken as UTF-8. Nothing is trimmed. */
  readonly cmdline?: Uint8Array | string | undefined;
  /** QEMU's `kernel-hashes`; on by default when a kernel is given. */
  readonly kernelHashes?: boolean | undefined;
}

/** The files of a direct boot, the initrd perhaps too large to hold. */
export interface HashedBootInputs extends Omit<BootInputs, "initrd"> {
  readonly initrd?: Uint8Array | HashedFile | undefined;
}

/** A direct boot as the launch sees it. */
export interface BootPlan {
  readonly given: readonly ("kernel" | "initrd" | "cmdline")[];
  /** Hashes for the table; undefined when none are measured. */
  readonly digests: DirectBootDigests | undefined;
  readonly warnings: readonly MeasureWarning[];
}

/** Hashes what is to be measured; throws {@link MeasureError} for parts that QEMU refuses to start. */
export function planBoot(inputs: HashedBootInputs): BootPlan {
  const boot = directBoot(inputs);
  if (boot === undefined) return { given: [], digests: undefined, warnings: [] };
  const hashed = inputs.kernelHashes !== false;
  return {
    given: given(boot),
    digests: hashed ? hashDirectBoot(boot) : undefined,
    warnings: bootWarnings(boot, hashed),
  };
}

function directBoot({ kernel, initrd, cmdline, kernelHashes }: HashedBootInputs): DirectBoot | undefined {
  if (kernel !== undefined)
    return { kernel, initrd, cmdline: typeof cmdline === "string" ? utf8(cmdline) : cmdline };
  const orphan =
    (initrd !== undefined && "initrd") ||
    (cmdline !== undefined && "command line") ||
    (kernelHashes === true && "kernel hashes");
  if (orphan !== false)
    throw new MeasureError("BP-SNP-005", `${orphan} without a kernel: QEMU refuses to start`, {
      hint: "give the kernel too, or leave it out",
    });
  return undefined;
}

function given(boot: DirectBoot): ("kernel" | "initrd" | "cmdline")[] {
  const parts = ["kernel", "initrd", "cmdline"] as const;
  return parts.filter((part) => boot[part] !== undefined);
}

function bootWarnings(boot: DirectBoot, hashed: boolean): MeasureWarning[] {
  const warnings: MeasureWarning[] = commandLineNotes(boot.cmdline ?? new Uint8Array()).map((message) => ({
    code: "BP-SNP-110",
    message,
    artifact: "cmdline",
  }));
  if (!hashed)
    warnings.push({
      code: "BP-SNP-112",
      message: "kernel hashes are off: no register sees the kernel",
      artifact: "kernel",
    });
  const fault = kernelFault(boot.kernel);
  if (fault !== undefined) warnings.push({ code: "BP-SNP-109", message: fault, artifact: "kernel" });
  return warnings;
}

/** Why QEMU might not start this kernel. The digest stands all the same: the table holds the file's hash. */
function kernelFault(kernel: Uint8Array): string | undefined {
  try {
    if (parseKernel(kernel) !== undefined) return undefined;
    return "the kernel is no bzImage: QEMU may refuse it, and hashes no ELF kernel";
  } catch (error) {
    if (error instanceof ParseError) return `the kernel is no valid bzImage: ${error.message}`;
    throw error;
  }
}
