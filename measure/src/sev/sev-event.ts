/**
 * The extend of SEV and SEV-ES: one running SHA-256 over everything that LAUNCH_UPDATE_DATA and LAUNCH_UPDATE_VMSA
 * encrypt, in the order of the calls. AMD SEV API (document 55766), LAUNCH_MEASURE: LD.
 * @module
 */
import { type HashState, type Sha256, sha256, startHash } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";

/** The one register of SEV and SEV-ES. */
export const SEV_LAUNCH_DIGEST = "launchDigest";

/** The firmware's command behind an event. */
export type SevEventType = "LAUNCH_UPDATE_DATA" | "LAUNCH_UPDATE_VMSA";

/** Bytes given to the security processor in one command. */
export interface SevEvent extends MeasuredEvent {
  readonly register: typeof SEV_LAUNCH_DIGEST;
  readonly type: SevEventType;
  readonly bytes: Uint8Array;
}

const EMPTY: Sha256 = sha256(new Uint8Array());

/** The launch digest before the first command. */
export const SEV_START: { readonly [SEV_LAUNCH_DIGEST]: Sha256 } = { [SEV_LAUNCH_DIGEST]: EMPTY };

/** A digest alone cannot be extended by SHA-256: the running state goes along with each value that a replay made. */
const states = new WeakMap<Uint8Array, HashState>([[EMPTY, startHash("sha256")]]);

/**
 * The launch digest after one command's bytes. `current` must be {@link SEV_START}'s value or a result of this function,
 * not a copy; throws {@link RangeError} for any other.
 */
export function extendSevLaunchDigest(current: Uint8Array, event: SevEvent): Sha256 {
  const state = states.get(current)?.copy();
  if (state === undefined) throw new RangeError("a SHA-256 of unknown bytes cannot be extended");
  state.update(event.bytes);
  const next = state.copy().digest() as Sha256;
  states.set(next, state);
  return next;
}
