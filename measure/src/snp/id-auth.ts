/**
 * The ID authentication information: the signatures and keys that go with an ID block.
 * SEV Secure Nested Paging Firmware ABI (AMD 56860), SNP_LAUNCH_FINISH, ID Authentication Information Structure.
 * The ID key signs the ID block; an author key may sign the ID key, and then stands for all of its ID keys.
 * @module
 */
import { ByteReader, ByteWriter, type Sha384 } from "@bootproof/bytes";
import { ecdsaPublicKey, ecdsaSign, ecdsaVerify } from "@bootproof/bytes/ecdsa";
import { MeasureError } from "../measure-error.ts";
import {
  ECDSA_P384_SHA384,
  encodePublicKey,
  encodeSignature,
  keyDigest,
  PUBLIC_KEY_SIZE,
  SIGNATURE_SIZE,
} from "./ecdsa-structures.ts";
import { encodeIdBlock, type IdBlock } from "./id-block.ts";

/** Length of the ID authentication information in bytes. */
export const ID_AUTH_SIZE = 4096;

const [RESERVED_1, RESERVED_2, RESERVED_3] = [56, 60, 892];

/** The fields of an ID auth, unchecked; structures and reserved ranges as they stand in it. */
export interface UntrustedIdAuth {
  readonly idKeyAlgorithm: number;
  readonly authorKeyAlgorithm: number;
  readonly idBlockSignature: Uint8Array;
  readonly idPublicKey: Uint8Array;
  readonly idKeySignature: Uint8Array;
  readonly authorPublicKey: Uint8Array;
  /** The ranges that must be zero, by offset. */
  readonly reserved: ReadonlyMap<number, Uint8Array>;
}

/** A public key (96 bytes: x, y) and a signature made with it (96 bytes: r, s), big endian. */
export interface SignedBy {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** An ID block and its ID auth, ready for a VMM. */
export interface Identity {
  readonly idBlock: Uint8Array;
  readonly idAuth: Uint8Array;
  /** ID_KEY_DIGEST of the report. */
  readonly idKeyDigest: Sha384;
  /** AUTHOR_KEY_DIGEST of the report. */
  readonly authorKeyDigest: Sha384 | undefined;
}

/** What the author key signs: the public key structure of the ID key. */
export const idKeyToSign = (idPublicKey: Uint8Array): Uint8Array => encodePublicKey(idPublicKey);

/**
 * Joins an ID block and signatures made anywhere: of the block by the ID key, of {@link idKeyToSign} by the author key.
 * Throws {@link MeasureError} when a signature does not hold: the firmware would refuse it.
 */
export function joinIdentity(block: IdBlock, id: SignedBy, author?: SignedBy): Identity {
  const idBlock = encodeIdBlock(block);
  if (!ecdsaVerify("P-384", id.publicKey, idBlock, id.signature))
    throw new MeasureError("BP-ID-003", "the signature is none of this ID block by the ID key");
  if (
    author !== undefined &&
    !ecdsaVerify("P-384", author.publicKey, idKeyToSign(id.publicKey), author.signature)
  )
    throw new MeasureError("BP-ID-003", "the signature is none of the ID key by the author key");
  return {
    idBlock,
    idAuth: encodeIdAuth(id, author),
    idKeyDigest: keyDigest(id.publicKey),
    authorKeyDigest: author === undefined ? undefined : keyDigest(author.publicKey),
  };
}

/** Signs an ID block with private keys of 48 bytes; deterministic. */
export function signIdentity(block: IdBlock, idKey: Uint8Array, authorKey?: Uint8Array): Identity {
  const sign = (key: Uint8Array, message: Uint8Array): SignedBy => ({
    publicKey: ecdsaPublicKey("P-384", key),
    signature: ecdsaSign("P-384", key, message),
  });
  const id = sign(idKey, encodeIdBlock(block));
  return joinIdentity(
    block,
    id,
    authorKey === undefined ? undefined : sign(authorKey, idKeyToSign(id.publicKey)),
  );
}

function encodeIdAuth(id: SignedBy, author: SignedBy | undefined): Uint8Array {
  return new ByteWriter(ID_AUTH_SIZE)
    .u32le(ECDSA_P384_SHA384) // 0x000 ID_KEY_ALGO
    .u32le(author === undefined ? 0 : ECDSA_P384_SHA384) // 0x004 AUTH_KEY_ALGO
    .zeros(RESERVED_1) // 0x008
    .bytes(encodeSignature(id.signature)) // 0x040 ID_BLOCK_SIG
    .bytes(encodePublicKey(id.publicKey)) // 0x240 ID_KEY
    .zeros(RESERVED_2) // 0x644
    .bytes(author === undefined ? new Uint8Array(SIGNATURE_SIZE) : encodeSignature(author.signature)) // 0x680 ID_KEY_SIG
    .bytes(author === undefined ? new Uint8Array(PUBLIC_KEY_SIZE) : encodePublicKey(author.publicKey)) // 0x880 AUTHOR_KEY
    .zeros(RESERVED_3) // 0xc84
    .finish();
}

/** Takes an ID auth apart without judging it; throws ParseError unless it has 4096 bytes. */
export function parseIdAuth(bytes: Uint8Array): UntrustedIdAuth {
  const reader = new ByteReader(bytes);
  const reserved = new Map<number, Uint8Array>();
  const skip = (length: number): void => {
    reserved.set(reader.offset, reader.bytes(length, "ID auth reserved"));
  };
  const idKeyAlgorithm = reader.u32le("ID auth ID_KEY_ALGO");
  const authorKeyAlgorithm = reader.u32le("ID auth AUTH_KEY_ALGO");
  skip(RESERVED_1);
  const idBlockSignature = reader.bytes(SIGNATURE_SIZE, "ID auth ID_BLOCK_SIG");
  const idPublicKey = reader.bytes(PUBLIC_KEY_SIZE, "ID auth ID_KEY");
  skip(RESERVED_2);
  const idKeySignature = reader.bytes(SIGNATURE_SIZE, "ID auth ID_KEY_SIG");
  const authorPublicKey = reader.bytes(PUBLIC_KEY_SIZE, "ID auth AUTHOR_KEY");
  skip(RESERVED_3);
  reader.end("ID auth");
  return {
    idKeyAlgorithm,
    authorKeyAlgorithm,
    idBlockSignature,
    idPublicKey,
    idKeySignature,
    authorPublicKey,
    reserved,
  };
}

/** Whether an ID auth has no author: neither a key nor a signature of the ID key. */
export function hasNoAuthor({ authorPublicKey, idKeySignature }: UntrustedIdAuth): boolean {
  return [authorPublicKey, idKeySignature].every((part) => part.every((byte) => byte === 0));
}
