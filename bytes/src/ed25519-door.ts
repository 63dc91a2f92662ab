/**
 * What both ways to sign with Ed25519 look like, so that either can stand behind `ed25519.ts`: RFC 8032 leaves signing no
 * choice, so both give the same bytes. There is one way to verify.
 * @module
 */

/** Makes ready to sign with a 32-byte seed: messages to 64-byte signatures. */
export type MakeEd25519Sign = (seed: Uint8Array) => (message: Uint8Array) => Uint8Array;
