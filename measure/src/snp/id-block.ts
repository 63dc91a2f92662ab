/**
 * The ID block: the launch digest, policy and names that the owner of an SNP guest signs, so that the firmware launches
 * that guest and no other.
 * SEV Secure Nested Paging Firmware ABI (AMD 56860), SNP_LAUNCH_FINISH, ID Block.
 * @module
 */
import { asDigest, ByteReader, ByteWriter, type Sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";

/** Length of an ID block in bytes. */
export const ID_BLOCK_SIZE = 96;
/** The only version of the ID block. */
export const ID_BLOCK_VERSION = 1;
/** Length of a family ID and of an image ID in bytes. */
export const IDENTIFIER_SIZE = 16;

/** What the owner of a guest vouches for. */
export interface IdBlock {
  readonly launchDigest: Sha384;
  /** 16 bytes of the owner's choice, shown in the report. */
  readonly familyId: Uint8Array;
  /** 16 bytes of the owner's choice, shown in the report. */
  readonly imageId: Uint8Array;
  readonly version: number;
  /** The owner's security version number, shown in the report. */
  readonly guestSvn: number;
  readonly policy: bigint;
}

/** The 96 bytes that the ID key signs; throws {@link MeasureError} for values that do not fit. */
export function encodeIdBlock(block: IdBlock): Uint8Array {
  const bad =
    (block.launchDigest.length !== 48 && "the launch digest has 48 bytes") ||
    (block.familyId.length !== IDENTIFIER_SIZE && `the family ID has ${IDENTIFIER_SIZE} bytes`) ||
    (block.imageId.length !== IDENTIFIER_SIZE && `the image ID has ${IDENTIFIER_SIZE} bytes`) ||
    (!isU32(block.version) && "the version has 32 bits") ||
    (!isU32(block.guestSvn) && "the guest SVN has 32 bits") ||
    ((block.policy < 0n || block.policy >> 64n !== 0n) && "the policy has 64 bits");
  if (bad !== false) throw new MeasureError("BP-ID-002", `an ID block cannot hold this: ${bad}`);
  return new ByteWriter(ID_BLOCK_SIZE)
    .bytes(block.launchDigest) // 0x00 LD
    .bytes(block.familyId) // 0x30 FAMILY_ID
    .bytes(block.imageId) // 0x40 IMAGE_ID
    .u32le(block.version) // 0x50 VERSION
    .u32le(block.guestSvn) // 0x54 GUEST_SVN
    .u64le(block.policy) // 0x58 POLICY
    .finish();
}

/** Parses an ID block, whatever its version and policy; throws ParseError unless it has 96 bytes. */
export function parseIdBlock(bytes: Uint8Array): IdBlock {
  const reader = new ByteReader(bytes);
  const block: IdBlock = {
    launchDigest: asDigest("sha384", reader.bytes(48, "ID block LD").slice()),
    familyId: reader.bytes(IDENTIFIER_SIZE, "ID block FAMILY_ID").slice(),
    imageId: reader.bytes(IDENTIFIER_SIZE, "ID block IMAGE_ID").slice(),
    version: reader.u32le("ID block VERSION"),
    guestSvn: reader.u32le("ID block GUEST_SVN"),
    policy: reader.u64le("ID block POLICY"),
  };
  reader.end("ID block");
  return block;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
