/**
 * Pages of the search for the guest behind a launch digest.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-SOLVE. */
export const SOLVE_PAGES: Pages = {
  "BP-SOLVE-001": {
    title: "what is given as observed is no launch digest",
    exit: EXIT.usage,
    why: "A launch digest has 48 bytes (SEV-SNP) or 32 bytes (SEV, SEV-ES); copied text often loses its ends.",
    fix: "Give it as hex or base64, or name a file that holds it or the attestation report: bootproof explain --observed FILE ...",
  },
  "BP-SOLVE-002": {
    title: "a launch digest and a platform that do not go together",
    exit: EXIT.usage,
    why: "SEV-SNP digests are SHA-384 (48 bytes), those of SEV and SEV-ES SHA-256 (32 bytes).",
    fix: "Leave --mode away: the length of the digest says which platform it is from.",
  },
};
