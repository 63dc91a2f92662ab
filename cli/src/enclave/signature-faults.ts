/**
 * What is wrong with an image's signature, for who asks only for registers. Apart, as it loads elliptic curves.
 * @module
 */
import type { UntrustedEifSignature } from "@bootproof/boot/eif";
import { verifyEifSignature } from "@bootproof/boot/eif/signing";
import type { EifDigests } from "@bootproof/measure/nitro";

import { pcr0Of } from "./pcr0.ts";

/** Every check that says no. */
export const signatureFaultsOf = (
  signature: UntrustedEifSignature,
  digests: EifDigests,
): { code: string; message: string }[] =>
  verifyEifSignature(signature, pcr0Of(digests)).flatMap(({ name, answer, reason, code = "BP-EIF-035" }) =>
    answer === "no" ? [{ code, message: `${name}: ${reason}` }] : [],
  );
