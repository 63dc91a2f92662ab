/**
 * Whether a reading has an answer at all: what cannot launch has no digest.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import { igvmFaults } from "./igvm-faults.ts";
import type { IgvmGuest } from "./igvm-guest.ts";
import { contextsByProcessor, type Processors } from "./igvm-processors.ts";
import { IGVM_LINT_RULES, type IgvmFinding } from "./lint-rules.ts";
import type { IgvmReading } from "./readings.ts";

/** The faults because of which a reading has no digest. */
export function refusals({ refuses }: IgvmReading, faults: readonly IgvmFinding[]): IgvmFinding[] {
  if (refuses === "nothing") return [];
  const all = refuses === "what QEMU or KVM refuses";
  return faults.filter(({ code }) => all || IGVM_LINT_RULES[code].ownCheck !== true);
}

/** Throws {@link MeasureError} when a reading has no digest of the guest. */
export function refuseUnlaunchable(guest: IgvmGuest, reading: IgvmReading, { vcpus }: Processors): void {
  if (!reading.platforms.includes(guest.platform))
    throw new MeasureError("BP-IGVM-006", `${reading.name} measures no ${guest.platform} guests`, {
      expected: reading.platforms.join(", "),
      found: guest.platform,
    });
  if (reading.refuses === "nothing") return;
  const [fault, ...more] = refusals(reading, igvmFaults(guest));
  if (fault !== undefined)
    throw new MeasureError("BP-IGVM-004", "QEMU and KVM cannot launch the IGVM file", {
      found: more.length === 0 ? fault.message : `${fault.message}, and ${more.length} more`,
      hint: "see all of it with bootproof inspect",
    });
  const highest = Math.max(...contextsByProcessor(guest).keys(), 0);
  if (highest >= vcpus)
    throw new MeasureError("BP-IGVM-004", "QEMU and KVM cannot launch the IGVM file", {
      expected: `at least ${highest + 1} vCPUs: the file has a VP context for processor ${highest}`,
      found: `${vcpus}`,
    });
}
