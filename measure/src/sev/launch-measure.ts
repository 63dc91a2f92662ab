/**
 * LAUNCH_MEASURE and LAUNCH_SECRET of SEV and SEV-ES: MACs under the transport integrity key (TIK) that only the guest
 * owner and the firmware know. SNP has neither: its report carries the launch digest itself.
 * Secure Encrypted Virtualization API (AMD 55766), LAUNCH_MEASURE and LAUNCH_SECRET.
 * @module
 */
import { ByteReader, ByteWriter, equalBytes, hmacSha256, type Sha256 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";

/** Length of the TIK and of the TEK in bytes. */
export const TRANSPORT_KEY_SIZE = 16;
/** Length of the nonce that the firmware chooses. */
export const MNONCE_SIZE = 16;
/** Length of what `query-sev-launch-measure` answers: MEASURE, then MNONCE. */
export const LAUNCH_MEASURE_SIZE = 48;

const MEASURE_CONTEXT = 0x04;
const SECRET_CONTEXT = 0x01;

/** What the firmware's MAC is about. */
export interface LaunchMeasureInputs {
  readonly apiMajor: number;
  readonly apiMinor: number;
  /** BUILD_ID of the firmware, `build-id` in QEMU's query-sev. */
  readonly buildId: number;
  readonly policy: number;
  readonly launchDigest: Sha256;
  readonly mnonce: Uint8Array;
}

/** The answer of LAUNCH_MEASURE. */
export interface LaunchMeasure {
  readonly measure: Uint8Array;
  readonly mnonce: Uint8Array;
}

/** The bytes that the MAC is computed of. */
export function launchMeasureMessage(inputs: LaunchMeasureInputs): Uint8Array {
  const { apiMajor, apiMinor, buildId, policy, launchDigest, mnonce } = inputs;
  checkLength("launch digest", launchDigest, 32);
  checkLength("nonce (MNONCE)", mnonce, MNONCE_SIZE);
  checkRange("API major version", apiMajor, 0xff);
  checkRange("API minor version", apiMinor, 0xff);
  checkRange("build ID", buildId, 0xff);
  checkRange("policy", policy, 0xffff_ffff);
  return new ByteWriter(72)
    .u8(MEASURE_CONTEXT)
    .u8(apiMajor)
    .u8(apiMinor)
    .u8(buildId)
    .u32le(policy)
    .bytes(launchDigest)
    .bytes(mnonce)
    .finish();
}

/** The MAC that the firmware answers for these inputs; throws {@link MeasureError} for values that do not fit. */
export function launchMeasure(tik: Uint8Array, inputs: LaunchMeasureInputs): Uint8Array {
  checkLength("transport integrity key (TIK)", tik, TRANSPORT_KEY_SIZE);
  return hmacSha256(tik, launchMeasureMessage(inputs));
}

/** Takes the firmware's answer apart; throws ParseError unless it has 48 bytes. */
export function parseLaunchMeasure(blob: Uint8Array): LaunchMeasure {
  const reader = new ByteReader(blob);
  const measure = reader.bytes(32, "LAUNCH_MEASURE MEASURE").slice();
  const mnonce = reader.bytes(MNONCE_SIZE, "LAUNCH_MEASURE MNONCE").slice();
  reader.end("LAUNCH_MEASURE");
  return { measure, mnonce };
}

/** Whether the firmware's answer is the MAC of these inputs with the nonce that it brings. */
export function verifyLaunchMeasure(
  tik: Uint8Array,
  blob: Uint8Array,
  inputs: Omit<LaunchMeasureInputs, "mnonce">,
): boolean {
  const { measure, mnonce } = parseLaunchMeasure(blob);
  return equalBytes(measure, launchMeasure(tik, { ...inputs, mnonce }));
}

/** What the header of a launch secret is about. */
export interface LaunchSecretInputs {
  readonly flags: number;
  readonly iv: Uint8Array;
  /** Length of the guest memory that receives the secret. */
  readonly guestLength: number;
  /** The secret, encrypted with AES-128-CTR under the TEK. */
  readonly ciphertext: Uint8Array;
  /** The MEASURE that LAUNCH_MEASURE answered. */
  readonly measure: Uint8Array;
}

/** The 52-byte packet header of LAUNCH_SECRET: FLAGS, IV, MAC. */
export function launchSecretHeader(tik: Uint8Array, inputs: LaunchSecretInputs): Uint8Array {
  const { flags, iv, guestLength, ciphertext, measure } = inputs;
  checkLength("transport integrity key (TIK)", tik, TRANSPORT_KEY_SIZE);
  checkLength("initialization vector", iv, 16);
  checkLength("MEASURE", measure, 32);
  checkRange("flags", flags, 0xffff_ffff);
  checkRange("guest length", guestLength, 0xffff_ffff);
  const message = new ByteWriter(64 + ciphertext.length)
    .u8(SECRET_CONTEXT)
    .u32le(flags)
    .bytes(iv)
    .u32le(guestLength)
    .u32le(ciphertext.length)
    .bytes(ciphertext)
    .bytes(measure)
    .finish();
  return new ByteWriter(52).u32le(flags).bytes(iv).bytes(hmacSha256(tik, message)).finish();
}

/** Splits libvirt's 32-byte key file: the transport encryption key, then the transport integrity key. */
export function splitTransportKeys(keys: Uint8Array): { readonly tek: Uint8Array; readonly tik: Uint8Array } {
  checkLength("transport keys (TEK, TIK)", keys, 2 * TRANSPORT_KEY_SIZE);
  return { tek: keys.slice(0, TRANSPORT_KEY_SIZE), tik: keys.slice(TRANSPORT_KEY_SIZE) };
}

function checkLength(what: string, bytes: Uint8Array, length: number): void {
  // Only the length is named: some of these are secret.
  if (bytes.length !== length)
    throw new MeasureError("BP-ID-002", `the ${what} has a wrong length`, {
      expected: `${length} bytes`,
      found: `${bytes.length}`,
    });
}

function checkRange(what: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new MeasureError("BP-ID-002", `the ${what} is out of range`, {
      expected: `0 to ${max}`,
      found: `${value}`,
    });
}
