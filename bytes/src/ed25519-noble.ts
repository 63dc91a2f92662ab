/**
 * Signing with Ed25519 in a browser: @noble/curves, synchronous where WebCrypto is not.
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import type { MakeEd25519Sign } from "./ed25519-door.ts";

/** @noble/curves behind the common interface. */
export const makeSign: MakeEd25519Sign = (seed) => (message) => ed25519.sign(message, seed);
