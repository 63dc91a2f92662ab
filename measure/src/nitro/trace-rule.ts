/**
 * How traces of Nitro Enclaves replay.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import type { TraceRule } from "../trace-replay.ts";
import { extendPcr, NITRO_START, PCR_SIZE, type PcrEventType } from "./pcr.ts";

/** Types of events whose bytes are a digest; those of the parent are texts. */
const REGISTER_OF: Readonly<Record<PcrEventType, string>> = {
  IMAGE: "PCR0",
  BOOTSTRAP: "PCR1",
  APPLICATION: "PCR2",
  ROLE_ARN: "PCR3",
  INSTANCE_ID: "PCR4",
  CERTIFICATE: "PCR8",
};

/** Extends PCRs; refuses events of other registers than their type's. */
export const nitroTraceRule: TraceRule = {
  start: NITRO_START,
  extend: (current, event) => extendPcr(current, extendedBy(event)),
};

function extendedBy({ register, type, digest }: MeasuredEvent): Uint8Array {
  const expected = isPcrEvent(type) ? REGISTER_OF[type] : undefined;
  if (expected === undefined)
    throw new ParseError("OUT_OF_RANGE", "type of a PCR event", {
      expected: Object.keys(REGISTER_OF).join(", "),
      found: type,
    });
  if (register !== expected)
    throw new ParseError("OUT_OF_RANGE", `register of a ${type} event`, { expected, found: register });
  if (type !== "ROLE_ARN" && type !== "INSTANCE_ID" && digest.length !== PCR_SIZE)
    throw new ParseError("OUT_OF_RANGE", `digest of a ${type} event`, {
      expected: `${PCR_SIZE} bytes`,
      found: `${digest.length}`,
    });
  return digest;
}

const isPcrEvent = (type: string): type is PcrEventType => Object.hasOwn(REGISTER_OF, type);
