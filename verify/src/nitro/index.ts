/**
 * @bootproof/verify/nitro: attestation documents of AWS Nitro Enclaves. Read, not yet verified.
 * @module
 */
export {
  looksLikeAttestationDocument,
  parseAttestationDocument,
  type UntrustedAttestationDocument,
} from "./attestation-document.ts";
export { describeConsistency, type DocumentConsistency, type ShownCertificate } from "./self-consistency.ts";
