/**
 * An IGVM file as one kind of guest sees it: the platform's mask, and what the file says of policy and identity.
 * @module
 */
import type {
  IgvmDirective,
  IgvmFile,
  IgvmGuestPolicy,
  IgvmInitialization,
  IgvmPlatform,
  IgvmSnpIdBlock,
  IgvmVpContext,
} from "@bootproof/ovmf/igvm";
import { igvmHeaderName } from "@bootproof/ovmf/igvm";
import { MeasureError } from "../measure-error.ts";
import type { AmdPlatform } from "../snp/profile.ts";

/** A file and the platform that it is launched on. */
export interface IgvmGuest {
  readonly file: IgvmFile;
  readonly platform: AmdPlatform;
  /** The platform's bit in every mask. */
  readonly mask: number;
}

/** The guest of a platform, or undefined when the file does not serve it. */
export function findGuest(file: IgvmFile, platform: AmdPlatform): IgvmGuest | undefined {
  const found = file.platforms.find((candidate) => candidate.platform === platform);
  return found === undefined ? undefined : { file, platform, mask: found.mask };
}

/** The guest of a platform; throws {@link MeasureError} when the file does not serve it. */
export function openGuest(file: IgvmFile, platform: AmdPlatform): IgvmGuest {
  const guest = findGuest(file, platform);
  if (guest !== undefined) return guest;
  throw new MeasureError("BP-IGVM-002", "the IGVM file is for other platforms", {
    expected: platform,
    found: file.platforms.map((served) => served.platform).join(", "),
  });
}

/** Whether a header counts on the guest's platform: `all` asks for the whole mask instead of a common bit. */
export function counts(guest: IgvmGuest, header: IgvmDirective | IgvmInitialization, all = false): boolean {
  if (!("mask" in header)) return true;
  const common = header.mask & guest.mask;
  return all ? common === guest.mask : common !== 0;
}

/** The guest policy; of several the last, as QEMU takes it. */
export function guestPolicyOf(guest: IgvmGuest): bigint | undefined {
  const policies = guest.file.initialization.filter(
    (header): header is IgvmGuestPolicy => header.kind === "GUEST_POLICY" && counts(guest, header),
  );
  return policies.at(-1)?.policy;
}

/** ID blocks for the platform. */
export function idBlocks(guest: IgvmGuest): IgvmSnpIdBlock[] {
  return guest.file.directives.filter(
    (header): header is IgvmSnpIdBlock => header.kind === "SNP_ID_BLOCK" && counts(guest, header),
  );
}

/** VP contexts for the platform, in file order. */
export function vpContexts(guest: IgvmGuest): IgvmVpContext[] {
  return guest.file.directives.filter(
    (header): header is IgvmVpContext => header.kind === "VP_CONTEXT" && counts(guest, header),
  );
}

/** `IGVM header 4 (PAGE_DATA)`, as errors, events and traces call it. */
export function headerLabel(header: IgvmInitialization | IgvmDirective | IgvmPlatform): string {
  return `IGVM header ${header.index} (${igvmHeaderName(header)})`;
}
