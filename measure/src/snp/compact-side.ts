/**
 * A compact reference as one side of a comparison: firmware, sections and kernel hashes as events, the digest before the
 * VMSAs, and the digest of each VMSA that it holds.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { KnownInput, Side } from "../explain/side.ts";
import { BOOT_PARTS } from "./describe-boot.ts";
import { PREFIX } from "./describe-launch.ts";
import { launchOf, type SnpReference } from "./reference.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";
import { runEvents } from "./page-run.ts";

/** The side that a compact reference tells; throws ParseError or MeasureError for one that cannot launch. */
export function compactSide(reference: SnpReference): Side {
  const { profile, prefix, vmsas, firmware, kernelHashes } = reference;
  return {
    platform: "snp",
    shape: { profile },
    registers: { [PREFIX]: prefix, ...vmsaRegisters(vmsas) },
    inputs: hashedInputs(kernelHashes),
    covered: kernelHashes === undefined ? [] : ["kernel", "initrd", "cmdline"],
    ...(firmware && eventsOf(reference)),
    artifacts: {},
  };
}

/** Digests of VMSAs stand beside the register: each CPU and feature set that both sides have is compared. */
function vmsaRegisters(vmsas: SnpReference["vmsas"]): Record<string, string> {
  return Object.fromEntries(
    vmsas.flatMap(({ cpuSignature, guestFeatures, bsp, ap }) => [
      [`first VMSA of CPU ${cpuSignature}, guest features ${guestFeatures}`, bsp],
      [`other VMSAs of CPU ${cpuSignature}, guest features ${guestFeatures}`, ap],
    ]),
  );
}

function hashedInputs(hashes: SnpReference["kernelHashes"]): KnownInput[] {
  if (hashes === undefined) return [];
  return BOOT_PARTS.map((role) => ({ role, sha256: hashes[role] }));
}

function eventsOf(reference: SnpReference): Pick<Side, "events" | "start"> {
  const { start, runs } = launchOf(reference);
  return { start: { [LAUNCH_DIGEST]: formatHex(start[LAUNCH_DIGEST]) }, events: [...runEvents(runs)] };
}
