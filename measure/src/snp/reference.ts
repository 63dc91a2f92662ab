/**
 * The compact reference: the launch digest before the VMSAs and the digests of the VMSA pages, from which the
 * launch digest of every vCPU count follows. The boot-measurement predicate carries it instead of a list of digests.
 * @module
 */
import { formatDigest, parseDigest, type Sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { type SnpLaunch, vmsaEvent } from "./launch.ts";
import { extendLaunchDigest } from "./page-info.ts";
import { chooseProfile, snpProfile } from "./profiles.ts";
import { resolveShape, type SnpShape } from "./shape.ts";

/** VMSA page digests of one CPU signature and feature set. */
export interface VmsaReference {
  readonly cpuSignature: string;
  readonly guestFeatures: string;
  /** SHA-384 of the boot processor's page, hex. */
  readonly bsp: string;
  /** SHA-384 of every other processor's page, hex. */
  readonly ap: string;
}

/** A launch with its shape open, as JSON. */
export interface SnpReference {
  /** Name of the profile. */
  readonly profile: string;
  /** Launch digest before the first VMSA, hex. */
  readonly prefix: string;
  readonly vmsas: readonly VmsaReference[];
}

/** The reference of a prepared launch for these CPUs and guest features; vCPU counts do not matter. Sorted by their text. */
export function referenceOf(launch: SnpLaunch, shapes: Iterable<SnpShape>): SnpReference {
  const vmsas = new Map<string, VmsaReference>();
  for (const shape of shapes) {
    const resolved = resolveShape(shape);
    const { bsp, ap } = launch.vmsaDigests(resolved);
    const [cpuSignature, guestFeatures] = [hex(resolved.cpuSignature), hex(resolved.guestFeatures)];
    const entry = { cpuSignature, guestFeatures, bsp: formatDigest(bsp), ap: formatDigest(ap) };
    vmsas.set(`${cpuSignature} ${guestFeatures}`, entry);
  }
  const sorted = [...vmsas].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  return { profile: launch.prefix.profile.name, prefix: formatDigest(launch.prefix.digest), vmsas: sorted };
}

/** The launch digest of a shape that `reference` covers; throws {@link MeasureError} when it does not. */
export function expandReference(reference: SnpReference, shape: SnpShape): Sha384 {
  const [only] = expandCounts(reference, shape, [shape.vcpus]);
  if (only === undefined) throw new RangeError("one count gives one digest");
  return only.launchDigest;
}

/**
 * The launch digests of one CPU and feature set for ascending vCPU counts, each from the one before it: references come
 * from strangers, and each digest from the start would cost the square of the largest count.
 */
export function* expandCounts(
  reference: SnpReference,
  shape: Omit<SnpShape, "vcpus">,
  counts: readonly number[],
): Generator<{ readonly vcpus: number; readonly launchDigest: Sha384 }> {
  const profile = snpProfile(reference.profile);
  let launchDigest = digest(reference.prefix, "prefix");
  let vcpu = 0;
  for (const vcpus of counts) {
    if (vcpus < vcpu) throw new RangeError("vCPU counts do not ascend");
    const vmsas = coveredVmsa(reference, { ...shape, vcpus });
    for (; vcpu < vcpus; vcpu++)
      launchDigest = extendLaunchDigest(launchDigest, vmsaEvent(profile, vmsas, vcpu));
    yield { vcpus, launchDigest };
  }
}

function coveredVmsa(reference: SnpReference, shape: SnpShape): { bsp: Sha384; ap: Sha384 } {
  const profile =
    shape.profile ?? (shape.vmm === undefined ? reference.profile : chooseProfile("snp", shape).name);
  const resolved = resolveShape({ ...shape, profile });
  const [cpuSignature, guestFeatures] = [hex(resolved.cpuSignature), hex(resolved.guestFeatures)];
  const entry = reference.vmsas.find(
    (vmsa) => vmsa.cpuSignature === cpuSignature && vmsa.guestFeatures === guestFeatures,
  );
  if (entry === undefined || resolved.profile.name !== reference.profile)
    throw new MeasureError("BP-SNP-006", "the reference does not cover this shape", {
      expected: reference.vmsas
        .map((vmsa) => `${vmsa.cpuSignature} with features ${vmsa.guestFeatures}`)
        .join(", "),
      found: `${cpuSignature} with features ${guestFeatures}, profile ${resolved.profile.name}`,
    });
  return { bsp: digest(entry.bsp, "bsp"), ap: digest(entry.ap, "ap") };
}

const digest = (text: string, field: string): Sha384 => parseDigest("sha384", text, `reference ${field}`);
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
