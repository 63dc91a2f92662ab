import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MeasureError } from "../measure-error.ts";
import { comparePcrs, parseExpectedPcrs, parseObservedPcrs } from "./expected-pcrs.ts";
import { knownBootstrap } from "./known-bootstrap.ts";
import { BOOTSTRAPS, IMAGES, PARENTS, SHA512 } from "./vectors.testing.ts";

const ZERO = "0".repeat(96);
const { want } = IMAGES[0]!;
const registers = { ...want, PCR8: ZERO };

describe("expected PCRs: what people paste is what is compared", () => {
  it.each([
    ["pairs", `PCR0=${want["PCR0"]!},PCR1=${want["PCR1"]!} PCR2=${want["PCR2"]!}`],
    [
      "lower case and prefixes",
      `pcr0:0x${want["PCR0"]!.toUpperCase()}\npcr1=sha384:${want["PCR1"]!}\nPCR2=${want["PCR2"]!}`,
    ],
    [
      "nitro-cli build-enclave",
      JSON.stringify({ Measurements: { HashAlgorithm: "Sha384 { ... }", ...want } }),
    ],
    ["eif_build with another sha2", JSON.stringify({ HashAlgorithm: "Sha512_48 { .. }", ...want })],
    [
      "describe-enclaves",
      JSON.stringify({ EnclaveID: "i-1-enc2", Flags: "NONE", Measurements: { HashAlgorithm: 7, ...want } }),
    ],
    [
      "the list that describe-enclaves prints",
      JSON.stringify([{ EnclaveID: "i-1-enc2", Measurements: { HashAlgorithm: 7, ...want } }], null, 2),
    ],
    [
      "what measure nitro --json wrote of an image that is not signed",
      JSON.stringify({ schema: "bootproof/measurement/1", registers: { ...want, PCR8: ZERO } }),
    ],
  ])("reads %s", (_name, text) => {
    const expected = parseExpectedPcrs(text);
    expect(expected).toEqual(want);
    expect(comparePcrs(expected, registers)).toEqual({ answer: "yes", differ: [], unpinned: [] });
  });

  it.each([
    ["nothing", "", "BP-NITRO-003"],
    ["no PCR", "PCR=00", "BP-NITRO-003"],
    ["PCR32", `PCR32=${want["PCR0"]!}`, "BP-NITRO-003"],
    ["a register twice", `PCR0=${want["PCR0"]!} pcr0=${want["PCR0"]!}`, "BP-NITRO-003"],
    ["a short value", "PCR0=abcd", "BP-NITRO-003"],
    ["the values of eif_build --algo sha512", JSON.stringify({ Measurements: SHA512.want }), "BP-NITRO-003"],
    ["zeros", `PCR0=${ZERO}`, "BP-NITRO-004"],
    ["zeros among others", JSON.stringify({ Measurements: { ...want, PCR8: ZERO } }), "BP-NITRO-004"],
    ["short zeros", "PCR0=0", "BP-NITRO-004"],
    ["a number", '{"Measurements":{"PCR0":0}}', "BP-NITRO-003"],
    ["an array", '{"Measurements":[]}', "BP-NITRO-003"],
    ["half a document", '{"Measurements":', "BP-NITRO-003"],
    ["no PCRs in it", "{}", "BP-NITRO-003"],
  ])("refuses %s", (_name, text, code) => {
    expect(() => parseExpectedPcrs(text)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses the registers of several enclaves, and zeros of our own documents but in PCR8", () => {
    expect(() => parseExpectedPcrs(JSON.stringify([want, want]))).toThrow("2 enclaves");
    expect(() => parseExpectedPcrs("[]")).toThrow("0 enclaves");
    expect(() => parseExpectedPcrs(JSON.stringify({ registers: { ...want, PCR0: ZERO } }))).toThrow(
      "all zero",
    );
    expect(() => parseExpectedPcrs(JSON.stringify({ Measurements: { PCR8: ZERO } }))).toThrow("all zero");
    expect(parseObservedPcrs(JSON.stringify({ registers: { PCR8: ZERO } }))).toEqual({ PCR8: ZERO });
  });

  it("takes zeros and other hashes from what was reported, and nothing else", () => {
    expect(parseObservedPcrs(`PCR0=${ZERO}`)).toEqual({ PCR0: ZERO });
    expect(parseObservedPcrs(JSON.stringify({ Measurements: SHA512.want }))).toEqual(SHA512.want);
    for (const text of ["PCR0=00", "", `PCR0=${ZERO}0`, `PCR0=${ZERO} PCR0=${ZERO}`])
      expect(() => parseObservedPcrs(text)).toThrow(MeasureError);
  });

  it("reads any text or throws MeasureError", () => {
    const pieces = fc.array(
      fc.constantFrom("PCR0", "=", want["PCR0"]!, " ", "{", "}", '"', ":", "Measurements", ZERO),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join("")),
        ),
        (text) => {
          try {
            for (const value of Object.values(parseExpectedPcrs(text)))
              expect(value).toMatch(/^(?!0+$)[0-9a-f]{96}$/);
          } catch (error) {
            expect(error).toBeInstanceOf(MeasureError);
          }
        },
      ),
    );
  });
});

describe("comparing PCRs: nothing that was not checked is a yes", () => {
  const expected = parseExpectedPcrs(`PCR0=${want["PCR0"]!}`);

  it("says no, and which", () => {
    const other = { ...registers, PCR0: want["PCR1"]! };
    expect(comparePcrs(expected, other)).toMatchObject({ answer: "no", differ: [{ register: "PCR0" }] });
  });

  it("cannot decide about a register that is not known", () => {
    const role = parseExpectedPcrs(`PCR0=${want["PCR0"]!} PCR3=${want["PCR1"]!}`);
    expect(comparePcrs(role, registers)).toMatchObject({ answer: "undecided" });
    expect(comparePcrs(role, { ...registers, PCR0: want["PCR1"]! })).toMatchObject({ answer: "no" });
  });

  it("calls debug mode by its name, whatever is expected", () => {
    const debug = PARENTS.documents.filter(({ name }) => name.includes("debug"));
    expect(debug.length).toBeGreaterThan(1);
    for (const { pcrs } of debug) expect(comparePcrs(expected, pcrs).answer).toBe("debug");
  });

  it("names the registers that nobody pins", () => {
    expect(comparePcrs(expected, registers).unpinned).toEqual(["PCR1", "PCR2"]);
  });
});

describe("known bootstraps: an old kernel is recognised by PCR1", () => {
  it.each(BOOTSTRAPS.vectors)("$name", ({ pcr1, arch, date, tags }) => {
    const known = knownBootstrap(pcr1.toUpperCase());
    expect(known).toMatchObject({ architecture: arch, since: date });
    for (const tag of [tags[0], tags.at(-1)]) if (tag !== undefined) expect(known!.releases).toContain(tag);
  });

  it("knows every PCR1 that nitro-cli's tests have for a named architecture", () => {
    const named = BOOTSTRAPS.history.filter(
      ({ label, arch }) => (label === "1" || label === "KERNEL_PCR") && arch !== "?",
    );
    expect(named.length).toBeGreaterThan(7);
    for (const { value, arch } of named) expect(knownBootstrap(value)?.architecture).toBe(arch);
  });

  it("names the kernel in documents from the field", () => {
    const known = PARENTS.documents.map(({ pcrs }) => knownBootstrap(pcrs["PCR1"]!)?.kernel);
    expect(known.filter((kernel) => kernel?.startsWith("4.14.256"))).toHaveLength(6);
    expect(knownBootstrap(ZERO)).toBeUndefined();
  });
});
