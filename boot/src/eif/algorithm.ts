/**
 * The algorithms that sign enclave images: ECDSA, each with a curve and its hash (RFC 9053 section 2.1).
 * @module
 */

/** An algorithm by its name in COSE. */
export type EifAlgorithm = "ES256" | "ES384" | "ES512";

/** What an algorithm consists of. */
export interface EifAlgorithmParts {
  /** Its number in COSE. */
  readonly id: number;
  readonly curve: "P-256" | "P-384" | "P-521";
  /** Length of r and s together. */
  readonly signatureLength: number;
}

/** The algorithms. AWS's tools fix the hash to the curve. */
export const EIF_ALGORITHMS: Readonly<Record<EifAlgorithm, EifAlgorithmParts>> = {
  ES256: { id: -7, curve: "P-256", signatureLength: 64 },
  ES384: { id: -35, curve: "P-384", signatureLength: 96 },
  ES512: { id: -36, curve: "P-521", signatureLength: 132 },
};

const NAMES = Object.keys(EIF_ALGORITHMS) as EifAlgorithm[];

/** The algorithm that goes with a key on this curve, or undefined. */
export function eifAlgorithmOfCurve(curve: string | undefined): EifAlgorithm | undefined {
  return NAMES.find((name) => EIF_ALGORITHMS[name].curve === curve);
}

/** The algorithm of this number, or undefined. */
export function eifAlgorithmOfId(id: unknown): EifAlgorithm | undefined {
  return NAMES.find((name) => EIF_ALGORITHMS[name].id === id);
}
