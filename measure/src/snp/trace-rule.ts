/**
 * How traces of SNP launches replay.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";
import type { TraceRule } from "../trace-replay.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, PAGE_TYPE, type PageEvent, START } from "./page-info.ts";

/** Extends the launch digest by pages; refuses events that are none. */
export const snpTraceRule: TraceRule = {
  start: START,
  extend: (current, event) => extendLaunchDigest(current, asPage(event)),
};

function asPage(event: MeasuredEvent): PageEvent {
  const { register, type, guestAddress, digest } = event;
  if (register !== LAUNCH_DIGEST)
    throw new ParseError("OUT_OF_RANGE", "event register", { expected: LAUNCH_DIGEST, found: register });
  if (!Object.hasOwn(PAGE_TYPE, type))
    throw new ParseError("OUT_OF_RANGE", "page type of an event", {
      expected: Object.keys(PAGE_TYPE).join(", "),
      found: type,
    });
  if (guestAddress === undefined) throw new ParseError("MISSING", "guest address of a page");
  if (digest.length !== 48)
    throw new ParseError("OUT_OF_RANGE", "contents digest of a page", {
      expected: "48 bytes",
      found: `${digest.length}`,
    });
  return event as PageEvent;
}
