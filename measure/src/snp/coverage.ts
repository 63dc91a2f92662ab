/**
 * What the launch digest sees of a guest, and what it does not: the parameters by trying them on the pages they go
 * into. Which bytes it sees says map-coverage.ts.
 * @module
 */
import { equalBytes } from "@bootproof/bytes";
import { type ParameterCoverage, summariseCoverage } from "../coverage-map.ts";
import type { Coverage } from "../measurement.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";
import type { VcpuRole, VmsaProfile } from "./profile.ts";
import type { ResolvedShape } from "./shape.ts";
import { BSP_RESET_ADDRESS, buildVmsa, type VmsaState } from "./vmsa.ts";

/** Which direct-boot inputs are given, and whether their hashes are measured. */
export interface DirectBootCoverage {
  readonly given: readonly BootRole[];
  readonly hashed: boolean;
}

/** An input of a direct boot. */
export type BootRole = "kernel" | "initrd" | "cmdline";

/** All of them. */
export const BOOT_ROLES: readonly BootRole[] = ["kernel", "initrd", "cmdline"];
/** How the digest sees an image. */
export const IMAGE = "contents of NORMAL pages";
/** How it sees the descriptors of metadata sections. */
export const SECTION = "types and guest addresses of the pages they declare";
/** How it sees what is booted directly. */
export const TABLE = "SHA-256 in the kernel hashes table";
const KERNEL_HASHES_OFF = "kernel hashes are off";
const NO_KERNEL = "no kernel is measured: the digest ends with the firmware";

/** What the launch digest sees of the VMM's side, whatever is launched. */
const UNSEEN: readonly ParameterCoverage[] = [
  { name: "guest policy", why: "the report has a field of its own for it" },
  { name: "host data", why: "the report has a field of its own for it" },
  { name: "ID block and ID key", why: "the report has fields of its own for them" },
  { name: "CPUID page contents", why: "the firmware checks CPUID pages and does not hash them: CPU flags" },
  { name: "secrets page contents", why: "the security processor writes them at launch" },
  {
    name: "variable store in a file of its own",
    why: "only the first flash unit is given to the guest at launch",
  },
  { name: "memory size, ACPI tables, devices, disks", why: "the guest meets them after launch" },
];

/** The coverage of one launch in short, without looking at a page of it. */
export function snpCoverage(shape: ResolvedShape, launch: DirectBootCoverage): Coverage {
  const boot = bootCoverage(launch, LAUNCH_DIGEST);
  const parameters = summariseCoverage({ artifacts: [], parameters: snpParameters(shape) });
  const firmware = [
    { input: "firmware", register: LAUNCH_DIGEST, through: IMAGE },
    { input: "SEV metadata sections", register: LAUNCH_DIGEST, through: SECTION },
  ];
  return {
    covered: [...firmware, ...parameters.covered, ...boot.covered],
    notCovered: [...boot.notCovered, ...parameters.notCovered],
  };
}

/** The coverage of what a guest boots directly. */
export function bootCoverage({ given, hashed }: DirectBootCoverage, register: string): Coverage {
  if (hashed)
    // An absent part is covered too: the table then holds the hash of nothing.
    return { covered: BOOT_ROLES.map((input) => ({ input, register, through: TABLE })), notCovered: [] };
  if (given.length > 0)
    return { covered: [], notCovered: given.map((input) => ({ input, why: KERNEL_HASHES_OFF })) };
  return { covered: [], notCovered: [{ input: "what the firmware boots", why: NO_KERNEL }] };
}

/** Every parameter of a launch, seen or not. */
function snpParameters({ profile, vcpus, cpuSignature, guestFeatures }: ResolvedShape): ParameterCoverage[] {
  return [
    { name: "profile", register: LAUNCH_DIGEST, through: "order, types and addresses of pages; VMSA fields" },
    ...vmsaParameters(profile.vmsa, vcpus, { cpuSignature, guestFeatures }, LAUNCH_DIGEST),
    ...UNSEEN,
  ];
}

/** The parameters that VMSAs can show: each is changed, and whether a page changes decides. */
export function vmsaParameters(
  profile: VmsaProfile,
  vcpus: number,
  { cpuSignature, guestFeatures }: Pick<VmsaState, "cpuSignature" | "guestFeatures">,
  register: string,
): ParameterCoverage[] {
  const page = (role: VcpuRole, change: Partial<VmsaState> = {}): Uint8Array => {
    const named = role === "bsp" ? BSP_RESET_ADDRESS : 0;
    const resetAddress = profile[role].resetAddress ?? change.resetAddress ?? named;
    return buildVmsa(profile, { role, cpuSignature, guestFeatures, ...change, resetAddress });
  };
  const roles: readonly VcpuRole[] = vcpus > 1 ? ["bsp", "ap"] : ["bsp"];
  const changes = (change: Partial<VmsaState>, among: readonly VcpuRole[] = roles): boolean =>
    among.some((role) => !equalBytes(page(role), page(role, change)));
  const seen = (name: string, isSeen: boolean, through: string, why: string): ParameterCoverage =>
    isSeen ? { name, register, through } : { name, why };
  const aps = roles.filter((role) => role === "ap");
  return [
    { name: "number of vCPUs", register, through: "one VMSA page each" },
    seen(
      "CPU signature",
      changes({ cpuSignature: cpuSignature ^ 1 }),
      "VMSA RDX",
      "the VMM resets RDX to a constant",
    ),
    seen(
      "guest features",
      changes({ guestFeatures: guestFeatures ^ 2n }),
      "VMSA SEV_FEATURES",
      "not in the VMSA",
    ),
    seen(
      "AP reset address",
      changes({ resetAddress: 0x1_0001 }, aps),
      "VMSA CS base and RIP",
      vcpus > 1
        ? "the VMM has a fixed one"
        : "there is one vCPU, and it starts at the architecture's address",
    ),
  ];
}
