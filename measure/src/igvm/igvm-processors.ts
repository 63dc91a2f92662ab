/**
 * The VMSAs that KVM measures at launch finish: one a vCPU, from its VP context or from its reset state.
 * @module
 */
import type { IgvmVpContext } from "@bootproof/ovmf/igvm";
import { MeasureError } from "../measure-error.ts";
import { defaultProfile } from "../snp/profiles.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "../snp/vmsa.ts";
import { type IgvmGuest, vpContexts } from "./igvm-guest.ts";
import type { IgvmStep } from "./igvm-steps.ts";
import { kvmVmsa, vmsaFeatures } from "./kvm-vmsa.ts";

/** The virtual machine's processors. */
export interface Processors {
  readonly vcpus: number;
  /** RDX of processors in reset state; needed when the file describes fewer processors than there are. */
  readonly cpuSignature: number | undefined;
}

const SNP_ACTIVE = 1n;
/** KVM's INITIAL_VMSA_GPA. */
export const KVM_VMSA_ADDRESS = 0xffff_ffff_f000n;

/** VP contexts by processor; of several for one processor the last, as QEMU takes it. */
export function contextsByProcessor(guest: IgvmGuest): Map<number, IgvmVpContext> {
  return new Map(vpContexts(guest).map((context) => [context.vpIndex, context]));
}

/**
 * SEV_FEATURES of every processor: QEMU reads those of processor 0 before it starts KVM. The legacy VM type, QEMU's
 * default for SEV-ES, takes none.
 */
export function launchFeatures(guest: IgvmGuest): bigint {
  if (guest.platform !== "snp") return 0n;
  const first = contextsByProcessor(guest).get(0);
  return SNP_ACTIVE | (first === undefined ? 0n : vmsaFeatures(first.data));
}

/** One step a vCPU, in KVM's order; none on SEV, whose registers nobody measures. */
export function* processorSteps(guest: IgvmGuest, processors: Processors): Generator<IgvmStep> {
  if (guest.platform === "sev") return;
  const contexts = contextsByProcessor(guest);
  const features = launchFeatures(guest);
  // QEMU's default VM type for SEV-ES leaves FPU state out.
  const fpu = guest.platform === "snp";
  for (let vcpu = 0; vcpu < processors.vcpus; vcpu++) {
    const header = contexts.get(vcpu);
    yield {
      type: "VMSA",
      guestAddress: KVM_VMSA_ADDRESS,
      pages: 1,
      bytes:
        header === undefined
          ? resetVmsa(guest, features, processors)
          : kvmVmsa(header.data, { features, fpu }),
      fileOffset: undefined,
      header,
      vcpu,
    };
  }
}

/** Nothing sets the reset address of a guest without OVMF, so every processor starts where the first one does. */
function resetVmsa(guest: IgvmGuest, guestFeatures: bigint, { cpuSignature, vcpus }: Processors): Uint8Array {
  if (cpuSignature === undefined)
    throw new MeasureError("BP-IGVM-003", "the IGVM file describes fewer processors than there are", {
      expected: "a CPU model or signature: processors in reset state hold it in RDX",
      found: `${vcpus} vCPUs, ${contextsByProcessor(guest).size} VP contexts`,
    });
  const { vmsa } =
    guest.platform === "snp" ? defaultProfile("snp", "qemu") : defaultProfile("sev-es", "qemu");
  return buildVmsa(vmsa, { role: "bsp", resetAddress: BSP_RESET_ADDRESS, cpuSignature, guestFeatures });
}
