/**
 * Pages of the command's own refusals about EIFs.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-EIF-070 and above. */
export const EIF_COMMAND_PAGES: Pages = {
  "BP-EIF-070": {
    title: "no private key that signs EIFs",
    exit: EXIT.malformed,
    why: "Images are signed with ECDSA on P-256, P-384 or P-521. The file or variable holds a key of another kind, an encrypted one, or none.",
    fix: "openssl ecparam -name secp384r1 -genkey -noout -out key.pem makes one; openssl pkey -in FILE -out FILE.plain decrypts one.",
  },
  "BP-EIF-071": {
    title: "no ECDSA signature",
    exit: EXIT.malformed,
    why: "A signature made elsewhere is DER, or r and s behind one another, each as long as the curve's numbers; binary, base64 or hex. What is there has none of these forms.",
    fix: "bootproof eif payload FILE --certificate PEM prints what has to be signed, with which algorithm.",
  },
  "BP-EIF-072": {
    title: "an image of a version that is not signed",
    exit: EXIT.malformed,
    why: "Version 2 of the format has no signatures, and version 3 no metadata: signing would make another header of it than the one it came with.",
    fix: "Build the image again: bootproof eif build writes version 4; the PCRs stay, for no header is measured.",
  },
};
