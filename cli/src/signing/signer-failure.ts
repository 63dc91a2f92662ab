/**
 * Why a key that is not in this process did not sign. Nothing of what a variable, a program or an agent said is ever
 * quoted: it may be a secret.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";

/** The key cannot be had: no such variable, no agent, no such key in it. */
export const noSigner = (message: string, expected: string, hint: string, cause?: unknown): Failure =>
  new Failure("BP-SIGN-001", EXIT.noInput, message, { expected, hint, cause });

/** The program or the agent did not sign. */
export const didNotSign = (message: string, found: string, hint: string, cause?: unknown): Failure =>
  new Failure("BP-SIGN-002", EXIT.unavailable, message, { found, hint, cause });

/** What came back is no signature of this message by this key. */
export const wrongSignature = (vkey: string, found: string): Failure =>
  new Failure("BP-SIGN-003", EXIT.no, "the signature does not verify under the key that was to sign", {
    expected: `a signature by ${vkey.split("+").slice(0, 2).join("+")}`,
    found,
    hint: "nothing was signed; check which key the program or agent uses",
  });

/** The key is not the one that was meant. */
export const otherKey = (expected: string, found: string, hint: string): Failure =>
  new Failure("BP-SIGN-004", EXIT.notAuthorised, "the key is another than the one expected", {
    expected,
    found,
    hint,
  });
