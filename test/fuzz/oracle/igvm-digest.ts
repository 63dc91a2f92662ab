/**
 * The launch digests of an IGVM file by the tools that take VP contexts in place, computed a second time and with
 * nothing of ours: one pass over headers that were found sound, one hash a page.
 * @module
 */
import { createHash } from "node:crypto";

/** How a tool that takes VP contexts in place reads a file. */
export interface InPlaceReading {
  readonly nativeZero: boolean;
  /** Microsoft's crate: shared pages skipped, 2 MiB pages are one, whole areas, contexts by mask. */
  readonly microsoft: boolean;
}

const PAGE = 4096;
const TYPE = { NORMAL: 1, VMSA: 2, ZERO: 3, UNMEASURED: 4, SECRETS: 5, CPUID: 6 } as const;
const sha384 = (bytes: Uint8Array): Buffer => createHash("sha384").update(bytes).digest();
const NOTHING = Buffer.alloc(48);

/** The digest in hex, or undefined where the tool stops. The file is one that parses. */
export function inPlaceDigest(
  file: Uint8Array,
  { nativeZero, microsoft }: InPlaceReading,
): string | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const areas = new Map<number, number>();
  const snpLike = new Set<number>();
  let [mask, digest, policy] = [0, Buffer.alloc(48), false];
  const extend = (type: number, address: bigint, contents?: Uint8Array): void => {
    const info = Buffer.alloc(112);
    digest.copy(info);
    (contents === undefined ? NOTHING : sha384(contents)).copy(info, 48);
    info.writeUInt16LE(112, 96);
    info.writeUInt8(type, 98);
    info.writeBigUInt64LE(address, 104);
    digest = sha384(info) as Buffer<ArrayBuffer>;
  };
  const end = bytes.readUInt32LE(8) + bytes.readUInt32LE(12);
  for (let at = bytes.readUInt32LE(8); at < end; at += 8 + Math.ceil(bytes.readUInt32LE(at + 4) / 8) * 8) {
    const u32 = (offset: number): number => bytes.readUInt32LE(at + 8 + offset);
    const address = (): bigint => bytes.readBigUInt64LE(at + 8);
    const page = (offset: number): Uint8Array => bytes.subarray(offset, offset + PAGE);
    switch (bytes.readUInt32LE(at)) {
      case 0x1: {
        const platform = bytes.readUInt8(at + 13);
        if (platform === 2) mask = u32(0);
        if (platform === 2 || platform === 5) snpLike.add(u32(0));
        break;
      }
      case 0x101:
        policy ||= (u32(8) & mask) !== 0;
        break;
      case 0x301:
        areas.set(u32(8), Number(address()));
        break;
      case 0x302: {
        if ((u32(8) & mask) === 0) break;
        const [offset, flags, kind] = [u32(12), u32(16), bytes.readUInt16LE(at + 28)];
        if (microsoft && (flags & 4) !== 0) break;
        const large = (flags & 1) !== 0;
        if (large && offset !== 0 && !microsoft) return undefined;
        for (let count = 0; count < (large && !microsoft ? 512 : 1); count++) {
          const target = address() + BigInt(count * PAGE);
          if (kind !== 0) extend(kind === 1 ? TYPE.SECRETS : TYPE.CPUID, target);
          else if ((flags & 2) !== 0) extend(TYPE.UNMEASURED, target);
          else if (offset === 0 && nativeZero) extend(TYPE.ZERO, target);
          else extend(TYPE.NORMAL, target, offset === 0 ? Buffer.alloc(PAGE) : page(offset));
        }
        break;
      }
      case 0x303: {
        if ((u32(8) & mask) === 0) break;
        const size = microsoft ? (areas.get(u32(12)) ?? 0) : PAGE;
        for (let from = 0; from < size; from += PAGE) extend(TYPE.UNMEASURED, address() + BigInt(from));
        break;
      }
      case 0x304:
        if (microsoft ? (u32(8) & mask) !== 0 : snpLike.has(u32(8)))
          extend(TYPE.VMSA, address(), page(u32(12)));
        break;
    }
  }
  return microsoft && !policy ? undefined : digest.toString("hex");
}
