/**
 * The identity inside an IGVM file: its SNP_ID_BLOCK directive, as the firmware wants it.
 * IGVM file format, IGVM_VHS_SNP_ID_BLOCK. It leaves out padding, and it has four bytes behind each key's curve that
 * are part of nothing that is signed or hashed. The policy stands elsewhere in the file, in its GUEST_POLICY header.
 * @module
 */
import { ByteReader, ByteWriter, concatBytes } from "@bootproof/bytes";
import { NUMBER_SIZE, PUBLIC_KEY_SIZE, SIGNATURE_SIZE } from "./ecdsa-structures.ts";
import { ID_AUTH_SIZE } from "./id-auth.ts";
import { ID_BLOCK_SIZE, IDENTIFIER_SIZE } from "./id-block.ts";

/** Length of an SNP_ID_BLOCK directive in bytes. */
export const IGVM_ID_BLOCK_SIZE = 696;

/** An ID block and ID auth taken from an IGVM file, unchecked. */
export interface IgvmIdentity {
  readonly compatibilityMask: number;
  readonly authorKeyEnabled: boolean;
  readonly idBlock: Uint8Array;
  readonly idAuth: Uint8Array;
}

/** Converts an SNP_ID_BLOCK directive; throws ParseError for another length and for reserved bytes that are not zero. */
export function identityFromIgvm(directive: Uint8Array, policy: bigint): IgvmIdentity {
  const reader = new ByteReader(directive);
  const compatibilityMask = reader.u32le("SNP_ID_BLOCK CompatibilityMask");
  const authorKeyEnabled = reader.u8("SNP_ID_BLOCK AuthorKeyEnabled") !== 0;
  reader.zeros(3, "SNP_ID_BLOCK Reserved");
  const idBlock = new ByteWriter(ID_BLOCK_SIZE)
    .bytes(reader.bytes(48 + 2 * IDENTIFIER_SIZE, "SNP_ID_BLOCK Ld, FamilyId, ImageId"))
    .u32le(reader.u32le("SNP_ID_BLOCK Version"))
    .u32le(reader.u32le("SNP_ID_BLOCK GuestSvn"))
    .u64le(policy)
    .finish();
  const idAuth = new ByteWriter(ID_AUTH_SIZE)
    .u32le(reader.u32le("SNP_ID_BLOCK IdKeyAlgorithm"))
    .u32le(reader.u32le("SNP_ID_BLOCK AuthorKeyAlgorithm"))
    .zeros(56)
    .bytes(readSignature(reader))
    .bytes(readPublicKey(reader))
    .zeros(60)
    .bytes(readSignature(reader))
    .bytes(readPublicKey(reader))
    .zeros(892)
    .finish();
  reader.end("SNP_ID_BLOCK");
  return { compatibilityMask, authorKeyEnabled, idBlock, idAuth };
}

function readSignature(reader: ByteReader): Uint8Array {
  const numbers = reader.bytes(2 * NUMBER_SIZE, "SNP_ID_BLOCK signature");
  return concatBytes(numbers, new Uint8Array(SIGNATURE_SIZE - numbers.length));
}

function readPublicKey(reader: ByteReader): Uint8Array {
  const curve = reader.bytes(4, "SNP_ID_BLOCK Curve");
  reader.zeros(4, "SNP_ID_BLOCK public key Reserved");
  const numbers = reader.bytes(2 * NUMBER_SIZE, "SNP_ID_BLOCK public key");
  return concatBytes(curve, numbers, new Uint8Array(PUBLIC_KEY_SIZE - 4 - numbers.length));
}
