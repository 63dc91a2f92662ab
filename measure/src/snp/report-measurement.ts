/**
 * What a solver takes from an SNP attestation report: the launch digest, and the processor that signed. No signature is
 * checked here: the digest is searched for, not trusted.
 * AMD SEV-SNP ABI (document 56860), structure ATTESTATION_REPORT: 0x4a0 bytes.
 * @module
 */
import { ByteReader, ParseError, type Sha384 } from "@bootproof/bytes";
import { cpuSignature } from "./cpu-models.ts";

/** The fields of an unverified report. */
export interface UntrustedReport {
  readonly version: number;
  readonly measurement: Sha384;
  /** CPUID function 1 EAX of the machine's processor; reports before version 3 do not say. */
  readonly cpuSignature: number | undefined;
}

/** Bytes of a report. */
export const REPORT_LENGTH = 0x4a0;
/** The header of MSG_REPORT_RSP, and that of Azure's paravisor, have the same length. */
const WRAPPER_LENGTH = 0x20;

/** Whether bytes have the length of a report, alone or behind one of the headers that it is handed out with. */
export function looksLikeReport(bytes: Uint8Array): boolean {
  return bytes.length === REPORT_LENGTH || isWrapped(bytes);
}

/** Reads a report; throws {@link ParseError} for anything else. */
export function readReport(bytes: Uint8Array): UntrustedReport {
  const start = isWrapped(bytes) ? WRAPPER_LENGTH : 0;
  const reader = new ByteReader(bytes.subarray(start, start + REPORT_LENGTH), start);
  const version = reader.u32le("report version"); // 0x000
  if (version < 1 || version > 16)
    throw new ParseError("UNSUPPORTED", "report version", {
      offset: start,
      expected: "1 to 16",
      found: `${version}`,
    });
  reader.skip(0x34 - 0x04, "report fields before SIGNATURE_ALGO");
  const algorithm = reader.u32le("report SIGNATURE_ALGO"); // 0x034
  if (algorithm !== 1)
    throw new ParseError("UNSUPPORTED", "report SIGNATURE_ALGO", {
      offset: start + 0x34,
      expected: "1 (ECDSA P-384 with SHA-384)",
      found: `${algorithm}`,
    });
  reader.skip(0x90 - 0x38, "report fields before MEASUREMENT");
  const measurement = reader.bytes(48, "report MEASUREMENT").slice() as Sha384; // 0x090
  reader.skip(0x188 - 0xc0, "report fields before CPUID_FAM_ID");
  const [family, model, stepping] = [
    reader.u8("report CPUID_FAM_ID"), // 0x188
    reader.u8("report CPUID_MOD_ID"), // 0x189
    reader.u8("report CPUID_STEP"), // 0x18a
  ];
  const says = version >= 3 && family > 0 && stepping <= 0xf;
  return { version, measurement, cpuSignature: says ? cpuSignature({ family, model, stepping }) : undefined };
}

function isWrapped(bytes: Uint8Array): boolean {
  if (bytes.length < WRAPPER_LENGTH + REPORT_LENGTH) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isAzure = view.getUint32(0, false) === 0x4843_4c41; // "HCLA"
  // MSG_REPORT_RSP: status 0, then the report's length. The driver hands out a buffer of 4000 bytes.
  return isAzure || (view.getUint32(0, true) === 0 && view.getUint32(4, true) === REPORT_LENGTH);
}
