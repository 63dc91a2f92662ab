/**
 * A signer whose key is elsewhere: what it answers is verified under its public key before anyone uses it, so that a
 * program or agent with the wrong key, or a broken one, stops the writer instead of publishing rubbish.
 * @module
 */
import { formatVkey, KEY_TYPE, type Vkey } from "@bootproof/bytes";
import {
  ED25519_SIGNATURE_LENGTH,
  ed25519Verify,
  ML_DSA_44_SIGNATURE_LENGTH,
  mlDsa44Verify,
  type Signer,
} from "@bootproof/bytes/signing";

import { wrongSignature } from "./signer-failure.ts";

/** The bytes of a signature by a key. */
export const signatureLength = ({ type }: Vkey): number =>
  type === KEY_TYPE.mlDsa44 ? ML_DSA_44_SIGNATURE_LENGTH : ED25519_SIGNATURE_LENGTH;

/** The signer of a key that `sign` reaches. */
export function checkedSigner(vkey: Vkey, sign: (message: Uint8Array) => Promise<Uint8Array>): Signer {
  const text = formatVkey(vkey);
  const verify = vkey.type === KEY_TYPE.mlDsa44 ? mlDsa44Verify : ed25519Verify;
  return {
    name: vkey.name,
    keyId: vkey.keyId,
    vkey: text,
    sign: async (message) => {
      const signature = await sign(message);
      if (signature.length !== signatureLength(vkey)) throw wrongSignature(text, `${signature.length} bytes`);
      if (!verify(vkey.publicKey, message, signature))
        throw wrongSignature(text, "a signature of something else");
      return signature;
    },
  };
}
