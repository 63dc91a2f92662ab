/**
 * Pages of keys that are elsewhere.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-SIGN. */
export const SIGN_PAGES: Pages = {
  "BP-SIGN-001": {
    title: "the signing key is not there",
    exit: EXIT.noInput,
    why: "The variable, the ssh-agent or the key in it that should sign is not there.",
    fix: "Set the variable, or start the agent and add the key: ssh-add FILE; bootproof key show KEY tries it.",
  },
  "BP-SIGN-002": {
    title: "the program or agent did not sign",
    exit: EXIT.unavailable,
    why: "It failed, refused, said too much, or took too long. Nothing was signed, and the writer stopped before it changed anything that readers see.",
    fix: "Run the program by hand with a message on its stdin, or ask the agent: ssh-add -l; then run the command again.",
  },
  "BP-SIGN-003": {
    title: "the signature that came back is wrong",
    exit: EXIT.no,
    why: "What the program or agent answered is no signature of the message under the public key that was configured. It was thrown away.",
    fix: "Check which key it signs with: bootproof key show KEY",
  },
  "BP-SIGN-004": {
    title: "the key is another than the one expected",
    exit: EXIT.notAuthorised,
    why: "A log's or witness's keys are remembered by their public halves, and the private key that was found belongs to another one.",
    fix: "Give back the right key; to change it, see bootproof log key --help",
  },
};
