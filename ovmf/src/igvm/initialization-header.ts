/**
 * The headers of an IGVM file's initialization section.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { HeaderBody } from "./header-body.ts";
import type {
  IgvmCorim,
  IgvmForeign,
  IgvmGuestPolicy,
  IgvmInitialization,
  IgvmRelocation,
} from "./igvm-file.ts";

const PAGE_SIZE = 4096n;

type Reader = (body: HeaderBody) => IgvmInitialization;

const READERS: Readonly<Record<string, Reader>> = {
  GUEST_POLICY: readGuestPolicy,
  RELOCATABLE_REGION: readRelocatableRegion,
  PAGE_TABLE_RELOCATION_REGION: readPageTableRelocation,
  CORIM_DOCUMENT: readCorim,
  CORIM_SIGNATURE: readCorim,
  CCA_POLICY: readCcaPolicy,
};

/** Reads one initialization header, or throws {@link ParseError}. */
export function readInitialization(body: HeaderBody): IgvmInitialization {
  const read = READERS[body.name];
  if (read === undefined) throw new RangeError(`no reader for ${body.name}`);
  return read(body);
}

function readGuestPolicy(body: HeaderBody): IgvmGuestPolicy {
  const policy = body.u64("policy");
  const mask = body.u32("compatibility mask");
  body.zeros(4);
  return { kind: "GUEST_POLICY", ...body.place, mask, policy };
}

function readRelocatableRegion(body: HeaderBody): IgvmRelocation {
  const mask = body.u32("compatibility mask");
  const vpIndex = body.u16("VP index");
  const vtl = body.u8("VTL");
  body.u8("flags");
  const alignment = body.u64("relocation alignment");
  const guestAddress = body.u64("relocation region");
  const size = body.pages("size", body.u64("size"));
  const bounds = [body.u64("minimum relocation address"), body.u64("maximum relocation address")];
  if (alignment === 0n || alignment % PAGE_SIZE !== 0n)
    throw body.fault("relocation alignment", "a multiple of 0x1000", hex(alignment));
  for (const address of [guestAddress, ...bounds])
    if (address % alignment !== 0n)
      throw body.fault("address", `a multiple of ${hex(alignment)}, the relocation alignment`, hex(address));
  return { kind: "RELOCATABLE_REGION", ...body.place, mask, guestAddress, size, vpIndex, vtl };
}

function readPageTableRelocation(body: HeaderBody): IgvmRelocation {
  const mask = body.u32("compatibility mask");
  const vpIndex = body.u16("VP index");
  const vtl = body.u8("VTL");
  body.zeros(1);
  const guestAddress = body.guestAddress();
  const size = body.pages("size", body.u64("size"));
  const used = body.pages("used size", body.u64("used size"));
  if (used > size) throw body.fault("used size", `at most ${hex(size)}`, hex(used));
  return { kind: "PAGE_TABLE_RELOCATION_REGION", ...body.place, mask, guestAddress, size, vpIndex, vtl };
}

function readCorim(body: HeaderBody): IgvmCorim {
  const mask = body.u32("compatibility mask");
  const fileOffset = body.u32("file offset");
  const size = body.u32("size");
  body.zeros(4);
  const data = fileOffset === 0 ? new Uint8Array() : body.data(fileOffset, size, size);
  const kind = body.name === "CORIM_DOCUMENT" ? "CORIM_DOCUMENT" : "CORIM_SIGNATURE";
  return { kind, ...body.place, mask, data };
}

function readCcaPolicy(body: HeaderBody): IgvmForeign {
  const mask = body.u32("compatibility mask");
  body.zeros(4);
  const zeroes = body.u64("attributes required to be zero");
  const ones = body.u64("attributes required to be one");
  body.bytes(2, "hash algorithm and LFA policy");
  body.zeros(6);
  if ((zeroes & ones) !== 0n) throw body.fault("attributes", "none both zero and one", hex(zeroes & ones));
  return { kind: "FOREIGN", name: body.name, ...body.place, mask };
}

/** Demands one CoRIM document and signature a mask bit, the document first, or throws {@link ParseError}. */
export function checkCorims(headers: readonly IgvmInitialization[]): void {
  const seen = { CORIM_DOCUMENT: 0, CORIM_SIGNATURE: 0 };
  for (const header of headers) {
    if (header.kind !== "CORIM_DOCUMENT" && header.kind !== "CORIM_SIGNATURE") continue;
    const { kind, mask, offset } = header;
    if ((seen[kind] & mask) !== 0)
      throw new ParseError("DUPLICATE", `${kind} of one platform in IGVM file`, {
        offset,
        expected: "one",
        found: "a second",
      });
    if (kind === "CORIM_SIGNATURE" && (mask & ~seen.CORIM_DOCUMENT) !== 0)
      throw new ParseError("MISSING", "CORIM_DOCUMENT before its CORIM_SIGNATURE in IGVM file", {
        offset,
        expected: "a document of the same platforms",
        found: "none",
      });
    seen[kind] |= mask;
  }
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
