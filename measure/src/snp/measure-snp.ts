/**
 * The launch digest of one guest, with everything that explains it.
 * @module
 */
import { ParseError, utf8 } from "@bootproof/bytes";
import { commandLineNotes, parseKernel } from "@bootproof/boot";
import { MeasureError } from "../measure-error.ts";
import { makeMeasurement, type Measurement, type MeasureWarning } from "../measurement.ts";
import { snpCoverage } from "./coverage.ts";
import { cpuModelTrap } from "./cpu-models.ts";
import { checkGuestFeatures } from "./guest-features.ts";
import { type DirectBoot, hashDirectBoot } from "./kernel-hashes.ts";
import { prepareSnp } from "./launch.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, type PageEvent, START } from "./page-info.ts";
import { formatShape, resolveShape, type ShapeJson, type SnpShape } from "./shape.ts";

/** The files of one guest. */
export interface SnpInputs {
  readonly firmware: Uint8Array;
  readonly kernel?: Uint8Array | undefined;
  readonly initrd?: Uint8Array | undefined;
  /** Exact bytes of `-append`; text is taken as UTF-8. Nothing is trimmed. */
  readonly cmdline?: Uint8Array | string | undefined;
  /** QEMU's `kernel-hashes`; on by default when a kernel is given. */
  readonly kernelHashes?: boolean | undefined;
}

/** Predicts the launch digest. Throws ParseError for firmware that cannot launch, MeasureError for an impossible shape. */
export function measureSnp(inputs: SnpInputs, shape: SnpShape): Measurement<ShapeJson, PageEvent> {
  const resolved = resolveShape(shape);
  const shapeWarnings = [...checkGuestFeatures(resolved.guestFeatures), ...cpuWarnings(shape.cpu)];
  const boot = directBoot(inputs);
  const hashed = boot !== undefined && inputs.kernelHashes !== false;
  const launch = prepareSnp(inputs.firmware, hashed ? hashDirectBoot(boot) : undefined, resolved.profile);
  return makeMeasurement({
    platform: "snp",
    shape: formatShape(resolved),
    registers: { [LAUNCH_DIGEST]: launch.digest(resolved) },
    start: START,
    extend: extendLaunchDigest,
    events: () => launch.events(resolved),
    coverage: snpCoverage({ given: given(boot), hashed }),
    warnings: [
      ...shapeWarnings,
      ...launch.warnings,
      ...(boot === undefined ? [] : bootWarnings(boot, hashed)),
    ],
  });
}

function directBoot({ kernel, initrd, cmdline, kernelHashes }: SnpInputs): DirectBoot | undefined {
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

function given(boot: DirectBoot | undefined): ("kernel" | "initrd" | "cmdline")[] {
  if (boot === undefined) return [];
  const parts = ["kernel", "initrd", "cmdline"] as const;
  return parts.filter((part) => boot[part] !== undefined);
}

function cpuWarnings(cpu: string | undefined): MeasureWarning[] {
  const message = cpu === undefined ? undefined : cpuModelTrap(cpu);
  return message === undefined ? [] : [{ code: "BP-SNP-102", message, artifact: "vmm" }];
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
