/**
 * Which bytes of an IGVM file the launch digest sees: pages by their contents, headers by what they declare, VP contexts
 * byte by byte, because KVM takes some registers of the page and leaves the rest.
 * @module
 */
import { ByteReader, equalBytes } from "@bootproof/bytes";
import { type IgvmVpContext, parseIgvm } from "@bootproof/ovmf/igvm";
import { claimsOf, type CoverageClaim } from "../coverage-map.ts";
import type { Measurement } from "../measurement.ts";
import { BYTES } from "../sev/coverage.ts";
import { IMAGE } from "../snp/coverage.ts";
import { LAUNCH_DIGEST, PAGE_SIZE } from "../snp/page-info.ts";
import type { AmdPlatform } from "../snp/profile.ts";
import { type IgvmGuest, openGuest } from "./igvm-guest.ts";
import { contextsByProcessor, launchFeatures } from "./igvm-processors.ts";
import { kvmVmsa, vmsaFeatures } from "./kvm-vmsa.ts";
import { igvmReading } from "./readings.ts";

const HEADERS = "what the headers declare; their checksum";
const CONTEXT = "VMSA registers that KVM takes";
const SNP_ACTIVE = 1n;

/** The claims of a measurement on the file that it was made from. */
export function claimsOfIgvm(bytes: Uint8Array, measurement: Measurement<object>): CoverageClaim[] {
  const guest = openGuest(parseIgvm(bytes), measurement.platform as AmdPlatform);
  const { reading = "qemu", vcpus = 1 } = measurement.shape as { reading?: string; vcpus?: number };
  const pages = claimsOf(measurement.events, (event) => {
    if ("bytes" in event) return BYTES;
    return event.type === "NORMAL" || event.type === "VMSA" ? IMAGE : undefined;
  });
  const contexts =
    igvmReading(reading).contexts === "in place"
      ? [...contextsByProcessor(guest).values()].map(({ fileOffset }) => claim(fileOffset, PAGE_SIZE, IMAGE))
      : contextClaims(guest, vcpus);
  return [claim(0, headersEnd(bytes), HEADERS), ...pages, ...contexts].map((one) => ({
    ...one,
    artifact: "igvm",
  }));
}

const claim = (offset: number, length: number, through: string): CoverageClaim => ({
  artifact: "igvm",
  offset,
  length,
  register: LAUNCH_DIGEST,
  through,
});

/** The fixed header names offset and size of the others; a checksum covers both. */
function headersEnd(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  reader.skip(8, "IGVM signature and version");
  return reader.u32le("offset of variable headers") + reader.u32le("size of variable headers");
}

function contextClaims(guest: IgvmGuest, vcpus: number): CoverageClaim[] {
  if (guest.platform === "sev") return [];
  const contexts = [...contextsByProcessor(guest).values()].filter(({ vpIndex }) => vpIndex < vcpus);
  // Tried on the first processor, whose features count for all, and on one other: KVM treats those alike.
  const other = contexts.find(({ vpIndex }) => vpIndex > 0);
  const seenOfOthers = other === undefined ? [] : seenBytes(guest, other);
  return contexts.flatMap((context) => {
    const seen = context.vpIndex === 0 ? seenBytes(guest, context) : seenOfOthers;
    return seen.map((at) => claim(context.fileOffset + at, 1, CONTEXT));
  });
}

/** Each byte is changed; whether the page that KVM builds changes decides. */
function seenBytes(guest: IgvmGuest, { data, vpIndex }: IgvmVpContext): number[] {
  const fpu = guest.platform === "snp";
  const built = (page: Uint8Array): Uint8Array => {
    const features = fpu && vpIndex === 0 ? SNP_ACTIVE | vmsaFeatures(page) : launchFeatures(guest);
    return kvmVmsa(page, { features, fpu });
  };
  const before = built(data);
  return Array.from(data.keys()).filter(
    (at) => !equalBytes(before, built(data.with(at, (data[at] ?? 0) ^ 0xff))),
  );
}
