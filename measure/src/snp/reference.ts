/**
 * The compact reference: the launch digest before the VMSAs and the digests of the VMSA pages, from which the
 * launch digest of every vCPU count follows. The boot-measurement predicate carries it instead of a list of digests.
 * @module
 */
import { formatDigest, parseDigest, type Sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { type SnpLaunch, vmsaEvent } from "./launch.ts";
import { extendLaunchDigest } from "./page-info.ts";
import { snpProfile, type Vmm } from "./profiles.ts";
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
  readonly vmm: Vmm;
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
  return { vmm: launch.prefix.profile.vmm, prefix: formatDigest(launch.prefix.digest), vmsas: sorted };
}

/** The launch digest of a shape that `reference` covers; throws {@link MeasureError} when it does not. */
export function expandReference(reference: SnpReference, shape: SnpShape): Sha384 {
  const resolved = resolveShape({ ...shape, vmm: reference.vmm });
  const [cpuSignature, guestFeatures] = [hex(resolved.cpuSignature), hex(resolved.guestFeatures)];
  const entry = reference.vmsas.find(
    (vmsa) => vmsa.cpuSignature === cpuSignature && vmsa.guestFeatures === guestFeatures,
  );
  if (entry === undefined || (shape.vmm ?? reference.vmm) !== reference.vmm)
    throw new MeasureError("BP-SNP-006", "the reference does not cover this shape", {
      expected: reference.vmsas
        .map((vmsa) => `${vmsa.cpuSignature} with features ${vmsa.guestFeatures}`)
        .join(", "),
      found: `${cpuSignature} with features ${guestFeatures} on ${shape.vmm ?? reference.vmm}`,
    });
  const profile = snpProfile(reference.vmm);
  const vmsas = { bsp: digest(entry.bsp, "bsp"), ap: digest(entry.ap, "ap") };
  let launchDigest = digest(reference.prefix, "prefix");
  for (let vcpu = 0; vcpu < resolved.vcpus; vcpu++)
    launchDigest = extendLaunchDigest(launchDigest, vmsaEvent(profile, vmsas, vcpu));
  return launchDigest;
}

const digest = (text: string, field: string): Sha384 => parseDigest("sha384", text, `reference ${field}`);
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
