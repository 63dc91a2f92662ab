/**
 * IGVM_VHS_SNP_ID_BLOCK: AMD's ID block and its signatures, in IGVM's layout of 696 bytes.
 * @module
 */
import type { HeaderBody } from "./header-body.ts";
import type { IgvmPublicKey, IgvmSnpIdBlock } from "./igvm-file.ts";

const COMPONENT = 72;

/** Reads an ID block, or throws ParseError; no signature is checked. */
export function readSnpIdBlock(body: HeaderBody): IgvmSnpIdBlock {
  const mask = body.u32("compatibility mask"); // 0x000
  const authorKey = body.u8("author key enabled"); // 0x004
  if (authorKey > 1) throw body.fault("author key enabled", "0 or 1", `${authorKey}`);
  body.zeros(3); // 0x005
  return {
    kind: "SNP_ID_BLOCK",
    ...body.place,
    mask,
    authorKeyEnabled: authorKey === 1,
    launchDigest: body.bytes(48, "launch digest"), // 0x008
    familyId: body.bytes(16, "family ID"), // 0x038
    imageId: body.bytes(16, "image ID"), // 0x048
    version: body.u32("version"), // 0x058
    guestSvn: body.u32("guest SVN"), // 0x05c
    idKeyAlgorithm: body.u32("ID key algorithm"), // 0x060
    authorKeyAlgorithm: body.u32("author key algorithm"), // 0x064
    idKeySignature: body.bytes(2 * COMPONENT, "ID key signature"), // 0x068
    idPublicKey: readPublicKey(body, "ID public key"), // 0x0f8
    authorKeySignature: body.bytes(2 * COMPONENT, "author key signature"), // 0x190
    authorPublicKey: readPublicKey(body, "author public key"), // 0x220
  };
}

function readPublicKey(body: HeaderBody, what: string): IgvmPublicKey {
  const curve = body.u32(`curve of ${what}`);
  body.zeros(4, `reserved field of ${what}`);
  return { curve, qx: body.bytes(COMPONENT, `${what} x`), qy: body.bytes(COMPONENT, `${what} y`) };
}
