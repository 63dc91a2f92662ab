/**
 * @bootproof/bytes/signing: Ed25519, ML-DSA-44 and the keys of signed notes. A path of its own, because loading the
 * mathematics of curves takes as long as starting Node, and what only measures signs nothing.
 * @module
 */
export {
  ED25519_KEY_LENGTH,
  ED25519_SIGNATURE_LENGTH,
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
} from "./ed25519.ts";
export {
  ML_DSA_44_KEY_LENGTH,
  ML_DSA_44_SEED_LENGTH,
  ML_DSA_44_SIGNATURE_LENGTH,
  mlDsa44PublicKey,
  mlDsa44Sign,
  mlDsa44Verify,
} from "./mldsa.ts";
export {
  formatSigningKey,
  makeSigningKey,
  parseSigningKey,
  signerOf,
  type Signer,
  type SigningKey,
} from "./signing-key.ts";
