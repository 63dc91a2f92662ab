import { ParseError } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { traceReplay } from "./replay.ts";
import { measureSnp } from "./snp/measure-snp.ts";
import { extendLaunchDigest, START } from "./snp/page-info.ts";
import { snpTraceRule } from "./snp/trace-rule.ts";
import { suffix } from "./snp/vectors.testing.ts";
import { formatTraceStep, type LaunchDocument, parseLaunchDocument, TRACE_SCHEMA } from "./trace-document.ts";

const RULES = { snp: snpTraceRule };
const measurement = measureSnp({ firmware: suffix("ovmf_AmdSev_suffix.bin") }, { vcpus: 2, cpu: "EPYC-v4" });
const events = [...traceReplay(START, extendLaunchDigest, measurement.events)].map(formatTraceStep);
const TRACE = { schema: TRACE_SCHEMA, platform: "snp", registers: measurement.registers, events };

const parse = (document: unknown): LaunchDocument =>
  parseLaunchDocument(new TextEncoder().encode(JSON.stringify(document)), RULES);

/** The trace with one event changed. */
const withEvent = (index: number, change: object): object => ({
  ...TRACE,
  events: events.map((event, at) => (at === index ? { ...event, ...change } : event)),
});

describe("reading a trace", () => {
  it("gives back the events that were written", () => {
    expect(parse(TRACE).events).toEqual(measurement.events);
  });

  it("reads a measurement without events", () => {
    const bare = { schema: "bootproof/measurement/1", platform: "snp", registers: measurement.registers };
    expect(parse(bare)).toMatchObject({ platform: "snp", shape: {}, inputs: [] });
    expect(parse(bare).events).toBeUndefined();
  });

  it.each([
    ["a register that its events do not lead to", { ...TRACE, registers: { launchDigest: "00".repeat(48) } }],
    ["an event less", { ...TRACE, events: events.slice(1) }],
    ["other contents", withEvent(0, { digest: "11".repeat(48), before: undefined, after: undefined })],
    ["another address", withEvent(1, { guestAddress: "0x1000", after: undefined })],
    ["another type", withEvent(1, { type: "NORMAL", after: undefined })],
    ["a step that ends elsewhere", withEvent(0, { after: "00".repeat(48) })],
    ["a step that starts elsewhere", withEvent(1, { before: "00".repeat(48) })],
  ])("refuses %s: nothing a trace says holds when it does not replay", (_name, document) => {
    expect(() => parse(document)).toThrow(ParseError);
    expect(() => parse(document)).toThrow(/replayed from the document's own events/);
  });

  it.each([
    ["no schema", { ...TRACE, schema: undefined }],
    ["another schema", { ...TRACE, schema: "bootproof/trace/2" }],
    ["a platform whose rule nobody knows", { ...TRACE, platform: "toString" }],
    ["no events", { ...TRACE, events: undefined }],
    ["no registers", { ...TRACE, registers: {} }],
    ["events that are no list", { ...TRACE, events: {} }],
    ["an event that is no object", { ...TRACE, events: [1] }],
    ["another register", withEvent(0, { register: "PCR0" })],
    ["a register of Object", withEvent(0, { register: "constructor" })],
    ["a page type that does not exist", withEvent(0, { type: "toString" })],
    ["a page without an address", withEvent(0, { guestAddress: undefined })],
    ["an address beyond 64 bits", withEvent(0, { guestAddress: "0x10000000000000000" })],
    ["a digest of another length", withEvent(0, { digest: "00" })],
    ["a digest in upper case", withEvent(0, { digest: "AA".repeat(48) })],
    ["a negative offset", withEvent(0, { source: { artifact: "firmware", offset: -1 } })],
    ["no source", withEvent(0, { source: undefined })],
    ["an input without a hash", { ...TRACE, inputs: [{ role: "kernel", size: 1 }] }],
    ["a shape that is a list", { ...TRACE, shape: [] }],
  ])("refuses %s", (_name, document) => {
    expect(() => parse(document)).toThrow(ParseError);
  });

  it("refuses a document with two readings", () => {
    const text = JSON.stringify(TRACE).replace('"platform":"snp"', '"platform":"sev","platform":"snp"');
    expect(() => parseLaunchDocument(new TextEncoder().encode(text), RULES)).toThrow(
      /duplicate|twice|platform/i,
    );
  });

  it("reads any bytes or throws ParseError", () => {
    const bytes = new TextEncoder().encode(JSON.stringify(TRACE));
    const readsOrRefuses = (document: Uint8Array): boolean => {
      try {
        parseLaunchDocument(document, RULES);
        return true;
      } catch (error) {
        if (error instanceof ParseError) return true;
        throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readsOrRefuses));
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }).map((text) => new TextEncoder().encode(text)),
        readsOrRefuses,
      ),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) =>
        readsOrRefuses(bytes.with(at, value)),
      ),
    );
  });
});
