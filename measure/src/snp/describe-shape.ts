/**
 * Two shapes: profile, CPU, guest features, number of vCPUs; each with what of it is measured.
 * @module
 */
import type { Finding } from "../explain/explanation.ts";
import type { JsonRecord } from "../explain/json-fields.ts";
import { MeasureError } from "../measure-error.ts";
import { compareVmsas, describeFeatures, formatFieldDifference } from "./describe-vmsa.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";
import type { AmdPlatform, Profile, SnpProfile, VcpuRole, VmsaProfile } from "./profile.ts";
import { defaultProfile, profileNamed } from "./profiles.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "./vmsa.ts";

/** A shape as far as a document tells it. */
export interface KnownShape {
  readonly profile?: Profile;
  readonly vcpus?: number;
  readonly cpu?: string;
  readonly cpuSignature?: number;
  readonly guestFeatures?: bigint;
}

/** Where edk2 starts application processors, for pages whose firmware is not at hand. */
const USUAL_RESET_ADDRESS = 0x0080_b004;
/** QEMU's first EPYC model. */
const USUAL_SIGNATURE = 0x800f12;

/** Reads the JSON of a shape of one of AMD's platforms; what is absent or makes no sense is left out. */
export function readShape(shape: JsonRecord, platform = "snp"): KnownShape {
  const { profile, vmm, vcpus, cpu, cpuSignature, guestFeatures } = shape;
  const found = findProfile(platform, profile, vmm);
  const signature = hexNumber(cpuSignature);
  const features = hexNumber(guestFeatures);
  return {
    ...(found && { profile: found }),
    ...(typeof vcpus === "number" && { vcpus }),
    ...(typeof cpu === "string" && { cpu }),
    ...(signature !== undefined && signature <= 0xffff_ffffn && { cpuSignature: Number(signature) }),
    ...(features !== undefined && { guestFeatures: features }),
  };
}

/** The VMSA page of a shape, when enough of it is known. */
export function vmsaOf(
  shape: KnownShape,
  role: VcpuRole,
  resetAddress: number = USUAL_RESET_ADDRESS,
): Uint8Array | undefined {
  const { profile, cpuSignature, guestFeatures } = shape;
  const vmsa = profile === undefined ? undefined : vmsaProfile(profile);
  if (vmsa === undefined || cpuSignature === undefined || guestFeatures === undefined) return undefined;
  const start = vmsa[role].resetAddress ?? (role === "bsp" ? BSP_RESET_ADDRESS : resetAddress);
  return buildVmsa(vmsa, { role, resetAddress: start, cpuSignature, guestFeatures });
}

/** Every difference of two shapes in words; those that no register sees have no register. */
export function describeShapes(a: KnownShape, b: KnownShape): Finding[] {
  const profiles =
    a.profile !== undefined && b.profile !== undefined && a.profile.name !== b.profile.name
      ? [describeProfiles(a, b, a.profile, b.profile)]
      : [];
  // Features that each side's profile brings by itself are told with the profiles.
  const features =
    profiles.length > 0 &&
    a.guestFeatures === a.profile?.guestFeatures &&
    b.guestFeatures === b.profile?.guestFeatures
      ? []
      : describeGuestFeatures(a, b);
  return [...profiles, ...describeCpus(a, b), ...features, ...describeCounts(a.vcpus, b.vcpus)];
}

/** Another number of vCPUs. */
export function describeCounts(a: number | undefined, b: number | undefined): Finding[] {
  if (a === undefined || b === undefined || a === b) return [];
  return [
    {
      subject: "vcpus",
      what: "the number of vCPUs differs",
      a: `${a}`,
      b: `${b}`,
      details: [`one VMSA page a vCPU is measured, last: ${a > b ? "A" : "B"} has ${Math.abs(a - b)} more`],
      register: LAUNCH_DIGEST,
    },
  ];
}

function describeProfiles(a: KnownShape, b: KnownShape, one: Profile, other: Profile): Finding {
  const layout = one.platform === "snp" && other.platform === "snp" ? layoutDifferences(one, other) : [];
  const measured = [...layout, ...vmsaDifferences(a, b)];
  return {
    subject: "profile",
    what: measured.length > 0 ? "the profiles differ" : "the profiles differ in name only",
    a: `${one.name} (${one.title})`,
    b: `${other.name} (${other.title})`,
    details: [
      ...measured,
      `${one.name}: ${one.dates}`,
      `${other.name}: ${other.dates}`,
      `${one.name}: ${one.differs}`,
      `${other.name}: ${other.differs}`,
    ],
    ...(measured.length > 0 && { register: LAUNCH_DIGEST }),
  };
}

function layoutDifferences(a: SnpProfile, b: SnpProfile): string[] {
  const rows: [what: string, one: string, other: string][] = [
    ["what is measured first", a.image, b.image],
    ["page type of SNP_SEC_MEM sections", a.memoryPages, b.memoryPages],
    ["sections of unknown type", a.unknownSections, b.unknownSections],
    ["CPUID sections", order(a), order(b)],
    ["pages of the VMM's own", `${a.fixedPages.length}`, `${b.fixedPages.length}`],
    ["guest address of VMSA pages", hex(a.vmsaGuestAddress), hex(b.vmsaGuestAddress)],
  ];
  return rows
    .filter(([, one, other]) => one !== other)
    .map(([what, one, other]) => `${what}: ${one} and ${other}`);
}

const order = ({ cpuidLast }: SnpProfile): string => (cpuidLast ? "after all others" : "in descriptor order");

function vmsaDifferences(one: KnownShape, other: KnownShape): string[] {
  const [a, b] = [filled(one), filled(other)];
  // The CPU's own part of RDX is told as the CPU; here both sides have A's.
  const same = a.cpuSignature === undefined ? b : { ...b, cpuSignature: a.cpuSignature };
  const roles = (["bsp", "ap"] as const).map((role) => {
    const [left, right] = [vmsaOf(a, role), vmsaOf(bySignature(same, b), role)];
    return left === undefined || right === undefined
      ? []
      : compareVmsas(left, right).map(formatFieldDifference);
  });
  const [bsp = [], ap = []] = roles;
  const everywhere = bsp.filter((line) => ap.includes(line));
  return [
    ...everywhere,
    ...bsp.filter((line) => !ap.includes(line)).map((line) => `boot processor: ${line}`),
    ...ap.filter((line) => !bsp.includes(line)).map((line) => `application processors: ${line}`),
  ];
}

/** A shape with what is not known of it as it usually is: what profiles set does not depend on it. */
const filled = (shape: KnownShape): KnownShape => ({
  cpuSignature: USUAL_SIGNATURE,
  ...(shape.profile && { guestFeatures: shape.profile.guestFeatures }),
  ...shape,
});

/** B with A's signature where B's profile measures the CPU, else as it is. */
const bySignature = (same: KnownShape, b: KnownShape): KnownShape => (measuresCpu(b) ? same : b);

/** Whether a shape's VMSAs hold the CPU's signature, as far as is known. */
const measuresCpu = ({ profile }: KnownShape): boolean =>
  profile === undefined || vmsaProfile(profile)?.rdx === "cpu signature";

function describeCpus(a: KnownShape, b: KnownShape): Finding[] {
  const measuring = measuresCpu(a) && measuresCpu(b);
  const named = a.cpu !== b.cpu;
  if (a.cpuSignature === b.cpuSignature && !named) return [];
  if (a.cpuSignature === undefined || b.cpuSignature === undefined) return [];
  const value = ({ cpu, cpuSignature }: KnownShape): string =>
    `${cpu ?? "signature"} (${hex(cpuSignature ?? 0)})`;
  const differs = a.cpuSignature !== b.cpuSignature;
  // Profiles that put a constant into RDX tell of it themselves.
  if (differs && !measuring) return [];
  const cpu = { subject: "cpu", a: value(a), b: value(b) };
  if (differs)
    return [
      {
        ...cpu,
        what: "the CPU model differs",
        details: [
          `RDX (VMSA offset 0x310): ${hex(a.cpuSignature)} and ${hex(b.cpuSignature)}`,
          "RDX holds the CPU's signature, CPUID function 1 EAX, in every VMSA",
        ],
        register: LAUNCH_DIGEST,
      },
    ];
  if (a.cpu === undefined || b.cpu === undefined) return [];
  return [{ ...cpu, what: "the CPU model's name differs, its signature does not", details: [] }];
}

function describeGuestFeatures(a: KnownShape, b: KnownShape): Finding[] {
  const [one, other] = [a.guestFeatures, b.guestFeatures];
  if (one === undefined || other === undefined || one === other) return [];
  return [
    {
      subject: "guestFeatures",
      what: `the guest features differ: ${describeFeatures(one, other).join(", ")}`,
      a: hex(one),
      b: hex(other),
      details: [
        `SEV_FEATURES (VMSA offset 0x3b0): ${hex(one)} and ${hex(other)}`,
        "0x21 instead of 0x1 is a host whose KVM has debug swap on by default",
      ].slice(0, (one ^ other) === 0x20n ? 2 : 1),
      register: LAUNCH_DIGEST,
    },
  ];
}

function findProfile(platform: string, profile: unknown, vmm: unknown): Profile | undefined {
  const known = PLATFORMS.find((name) => name === platform);
  if (known === undefined) return undefined;
  try {
    if (typeof profile === "string") return profileNamed(profile);
    return typeof vmm === "string" ? defaultProfile(known, vmm) : undefined;
  } catch (error) {
    if (error instanceof MeasureError) return undefined;
    throw error;
  }
}

const PLATFORMS: readonly AmdPlatform[] = ["snp", "sev", "sev-es"];

/** What a profile puts into VMSAs; plain SEV measures none. */
const vmsaProfile = (profile: Profile): VmsaProfile | undefined =>
  profile.platform === "sev" ? undefined : profile.vmsa;

function hexNumber(value: unknown): bigint | undefined {
  return typeof value === "string" && /^0x[0-9a-f]{1,16}$/.test(value) ? BigInt(value) : undefined;
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
