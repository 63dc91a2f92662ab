/**
 * Pages of measuring Nitro Enclaves.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

const WARNING = "It is a warning: the answer is given, and it is exact.";

/** Pages of BP-NITRO. */
export const NITRO_PAGES: Pages = {
  "BP-NITRO-001": {
    title: "not an IAM role",
    exit: EXIT.usage,
    why: "PCR3 hashes the ARN of the parent instance's role letter by letter, so a space or a line end gives another value.",
    fix: "Give the role's ARN alone: arn:aws:iam::123456789012:role/NAME",
  },
  "BP-NITRO-002": {
    title: "not an instance ID",
    exit: EXIT.usage,
    why: "PCR4 hashes the ID of the parent instance letter by letter, so a space or a line end gives another value.",
    fix: "Give the ID alone: i-0123456789abcdef0",
  },
  "BP-NITRO-003": {
    title: "expected PCRs that cannot be read",
    exit: EXIT.badConfig,
    why: "An expected value is 96 hex digits, alone as PCR0=..., or in the JSON that nitro-cli and eif_build print.",
    fix: "Give PCR0=<96 hex digits>, or the file with the Measurements.",
  },
  "BP-NITRO-004": {
    title: "expected PCRs that are all zero",
    exit: EXIT.badConfig,
    why: "Zeros are what an enclave in debug mode reports, whatever it runs. Whoever expects them accepts every debug enclave.",
    fix: "Take the values from the image: bootproof measure nitro IMAGE",
  },
  "BP-NITRO-005": {
    title: "the CRC of an enclave image is wrong",
    exit: EXIT.malformed,
    why: "The header's CRC-32 covers the whole file, so the file is damaged, or was changed by something that is no EIF tool.",
    fix: "Build or download the image again; bootproof inspect FILE shows what is in it.",
  },
  "BP-NITRO-101": {
    title: "debug mode",
    exit: EXIT.yes,
    why: "With --debug-mode the hypervisor puts zeros into PCR0, PCR1, PCR2 and PCR8, so a document says nothing of the image.",
    fix: `Start the enclave without --debug-mode. ${WARNING}`,
  },
  "BP-NITRO-102": {
    title: "a role that is not spelled as one",
    exit: EXIT.yes,
    why: "PCR3 takes the ARN of the IAM role. An instance profile or a session has another ARN than the role in it.",
    fix: `Give arn:aws:iam::ACCOUNT:role/NAME, as \`aws iam get-role\` prints it. ${WARNING}`,
  },
  "BP-NITRO-103": {
    title: "an instance that is not spelled as one",
    exit: EXIT.yes,
    why: "PCR4 takes the parent's instance ID: of an enclave's ID only the part before -enc.",
    fix: `Give i- and 17 hex digits (8 of old instances). ${WARNING}`,
  },
  "BP-NITRO-104": {
    title: "a bootstrap that is known",
    exit: EXIT.yes,
    why: "PCR1 is one that nitro-cli's own kernel, command line and init give. Those kernels are years old.",
    fix: `Boot a kernel of your own: a recipe can build one from source. ${WARNING}`,
  },
};
