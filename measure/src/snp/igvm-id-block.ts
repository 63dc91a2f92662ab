/**
 * The identity inside an IGVM file: its SNP_ID_BLOCK directive, as the firmware wants it.
 * IGVM file format, IGVM_VHS_SNP_ID_BLOCK. It leaves out padding, and it has four bytes behind each key's curve that
 * are part of nothing that is signed or hashed. The policy stands elsewhere in the file, in its GUEST_POLICY header.
 * @module
 */
import { asDigest, ByteWriter, ParseError } from "@bootproof/bytes";
import type { IgvmFile, IgvmPublicKey, IgvmSnpIdBlock } from "@bootproof/ovmf/igvm";
import { NUMBER_SIZE, PUBLIC_KEY_SIZE, SIGNATURE_SIZE } from "./ecdsa-structures.ts";
import { ID_AUTH_SIZE } from "./id-auth.ts";
import { encodeIdBlock } from "./id-block.ts";

/** An ID block and ID auth taken from an IGVM file, unchecked. */
export interface IgvmIdentity {
  readonly authorKeyEnabled: boolean;
  readonly idBlock: Uint8Array;
  readonly idAuth: Uint8Array;
}

/** Converts an SNP_ID_BLOCK directive, with the policy that stands elsewhere. */
export function identityFromIgvm(directive: IgvmSnpIdBlock, policy: bigint): IgvmIdentity {
  const { launchDigest, familyId, imageId, version, guestSvn, authorKeyEnabled } = directive;
  const idAuth = new ByteWriter(ID_AUTH_SIZE)
    .u32le(directive.idKeyAlgorithm)
    .u32le(directive.authorKeyAlgorithm)
    .zeros(56);
  for (const [signature, key, padding] of [
    [directive.idKeySignature, directive.idPublicKey, 60],
    [directive.authorKeySignature, directive.authorPublicKey, 892],
  ] as const) {
    idAuth.bytes(signature).zeros(SIGNATURE_SIZE - 2 * NUMBER_SIZE);
    writePublicKey(idAuth, key);
    idAuth.zeros(padding);
  }
  return {
    authorKeyEnabled,
    idBlock: encodeIdBlock({
      launchDigest: asDigest("sha384", launchDigest),
      familyId,
      imageId,
      version,
      guestSvn,
      policy,
    }),
    idAuth: idAuth.finish(),
  };
}

/** Finds the identity that an IGVM file has for SNP; throws ParseError when it has none, several, or no policy. */
export function identityOfIgvm({ platforms, initialization, directives }: IgvmFile): IgvmIdentity {
  const mask = platforms.find(({ platform }) => platform === "snp")?.mask ?? 0;
  const applies = (header: { readonly mask: number }): boolean => (header.mask & mask) !== 0;
  const blocks = directives.flatMap((header) =>
    header.kind === "SNP_ID_BLOCK" && applies(header) ? [header] : [],
  );
  const policies = initialization.flatMap((header) =>
    header.kind === "GUEST_POLICY" && applies(header) ? [header] : [],
  );
  const block = only(blocks, "SNP_ID_BLOCK");
  const { policy } = only(policies, "GUEST_POLICY");
  return identityFromIgvm(block, policy);
}

function only<Header extends { readonly offset: number }>(headers: readonly Header[], kind: string): Header {
  const [first, second] = headers;
  if (first === undefined)
    throw new ParseError("MISSING", `${kind} of the IGVM file`, { expected: "one for SNP", found: "none" });
  if (second !== undefined)
    throw new ParseError("DUPLICATE", `${kind} of the IGVM file`, { offset: second.offset });
  return first;
}

function writePublicKey(writer: ByteWriter, { curve, qx, qy }: IgvmPublicKey): void {
  writer
    .u32le(curve)
    .bytes(qx)
    .bytes(qy)
    .zeros(PUBLIC_KEY_SIZE - 4 - 2 * NUMBER_SIZE);
}
