import { concatBytes, digestOf, formatHex, sha384, utf8, type HashAlgorithm } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Piece } from "./arrangement.ts";
import { parseObservedPcrs } from "./expected-pcrs.ts";
import { measureSections, type LoadedSection } from "./measure-bytes.ts";
import type { NitroShape } from "./measure-nitro.ts";
import { pcr3Of } from "./parent.ts";
import { pcrOf } from "./pcr.ts";
import { solveNitro, type ObservedPcrs, type SolvedImage } from "./solve.ts";
import { certificateOf, imageNamed, PARENTS, sectionsOf, SHA512 } from "./vectors.testing.ts";

const base = sectionsOf(imageNamed("ok-2rd"));

function imageOf(sections: readonly LoadedSection[], more: Partial<SolvedImage> = {}): SolvedImage {
  const bytesOf = (piece: Piece): Uint8Array =>
    "bytes" in piece ? piece.bytes : sections[piece.section]!.bytes.subarray(piece.start, piece.end);
  return {
    sections: sections.map(({ type, bytes }) => ({ type, size: bytes.length })),
    cmdline: sections.find(({ type }) => type === "cmdline")?.bytes,
    digest: (pieces: readonly Piece[], algorithm: HashAlgorithm) =>
      digestOf(algorithm, concatBytes(...pieces.map(bytesOf))),
    ...more,
  };
}

const pcrs = (sections: readonly LoadedSection[], der?: Uint8Array, shape?: NitroShape): ObservedPcrs =>
  measureSections(sections, { certificateDer: der }, shape).registers;
const withCmdline = (text: string): LoadedSection[] =>
  base.map((section) => (section.type === "cmdline" ? { ...section, bytes: utf8(text) } : section));
const cmdline = new TextDecoder().decode(base[1]!.bytes);
const extra: LoadedSection = { type: "ramdisk", bytes: utf8("a third ramdisk") };

describe("solving observed PCRs: the cause is named, and a no stays a no", () => {
  it("is a match for the image exactly as it is, and for nothing else", async () => {
    const solution = await solveNitro(pcrs(base), imageOf(base));
    expect(solution).toMatchObject({ verdict: "match", tried: 1 });
    expect(solution.registers.map(({ answer }) => answer)).toEqual(["given", "given", "given", "given"]);
  });

  it.each([
    ["a newline", withCmdline(`${cmdline}\n`), base, "a newline after the command line"],
    ["a NUL", withCmdline(`${cmdline}\0`), base, "a NUL after the command line"],
    ["both", withCmdline(`${cmdline}\n\0`), base, "a newline and a NUL after the command line"],
    ["trimming", base, withCmdline(` ${cmdline}\n`), "the command line trimmed"],
    [
      "the blobs' command line",
      withCmdline("reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on root=/dev/ram0"),
      base,
      "the aarch64 command line that comes with nitro-cli",
    ],
    [
      "swapped ramdisks",
      base.with(3, base[4]!).with(4, base[3]!),
      base,
      "ramdisks in the order ramdisk 1, ramdisk 0",
    ],
    ["a ramdisk less", base, [...base, extra], "ramdisk 2 left out"],
    [
      "the builder's order",
      base,
      sectionsOf(imageNamed("order-ramdisk-before-cmdline")),
      "kernel, command line and ramdisks in this order",
    ],
    [
      "two accidents",
      withCmdline(`${cmdline}\n`).slice(0, 4),
      base,
      "ramdisk 1 left out, and a newline after the command line",
    ],
  ])("finds %s", async (_name, observed, given, what) => {
    const { verdict, registers } = await solveNitro(pcrs(observed), imageOf(given));
    expect(verdict).toBe("other");
    expect(registers.find(({ answer }) => answer === "other")?.what).toBe(what);
  });

  it("finds boundaries that moved under an equal PCR0", async () => {
    const shifted = sectionsOf(imageNamed("shift-ramdisk0-ramdisk1"));
    const moved = await solveNitro(pcrs(shifted), imageOf(base));
    expect([moved.verdict, moved.registers[1]?.what]).toEqual([
      "other",
      "512 bytes moved into the first ramdisk",
    ]);
    expect(moved.registers[0]?.answer).toBe("given");
    const joined = [
      ...base.slice(0, 3),
      { type: "ramdisk" as const, bytes: concatBytes(base[3]!.bytes, base[4]!.bytes) },
    ];
    const { registers } = await solveNitro(pcrs(joined), imageOf(base));
    expect(registers[1]?.what).toBe("the first 2 ramdisks as one");
    const back = await solveNitro(pcrs(base), imageOf(shifted));
    expect(back.registers[1]?.what).toBe("512 bytes moved out of the first ramdisk");
  });

  it("finds what eif_build prints with another hash, and says that no enclave does", async () => {
    const image = imageOf(sectionsOf(SHA512));
    const { verdict, registers } = await solveNitro(parseObservedPcrs(JSON.stringify(SHA512.want)), image);
    expect(verdict).toBe("other");
    expect(registers[0]).toMatchObject({ mistake: true, what: expect.stringContaining("sha512") as string });
  });

  it("says which part is explained when another is not", async () => {
    const other = [...withCmdline(`${cmdline}\n`).slice(0, 4), extra];
    const { verdict, registers } = await solveNitro(pcrs(other), imageOf(base));
    expect(verdict).toBe("none");
    expect(registers.map(({ register, answer }) => `${register} ${answer}`)).toEqual([
      "PCR0 none",
      "PCR1 other",
      "PCR2 none",
      "PCR8 given",
    ]);
  });

  it("calls debug mode by its name", async () => {
    for (const { pcrs: observed } of PARENTS.documents.filter(({ name }) => name.includes("debug")))
      expect(await solveNitro(observed, imageOf(base))).toMatchObject({ verdict: "debug", tried: 0 });
  });

  it("tries nothing but the image itself where only PCR0 was reported as it is", async () => {
    const { PCR0 = "" } = pcrs(base);
    expect(await solveNitro({ PCR0 }, imageOf(base))).toMatchObject({ verdict: "match", tried: 1 });
  });

  it("leaves the search of an image that is too large for it, and says so", async () => {
    const other = { PCR0: "11".repeat(48) };
    const whole = await solveNitro(other, imageOf(base));
    expect(whole).toMatchObject({ verdict: "none", complete: true });
    const left = await solveNitro(other, imageOf(base, { budget: 5000 }));
    expect(left).toMatchObject({ verdict: "none", complete: false });
    expect(left.tried).toBeLessThan(whole.tried);
  });
});

describe("solving signers and parents", () => {
  const vector = imageNamed("signed-es384");
  const der = certificateOf(vector)!;
  const [pem, second] = [utf8("PEM"), utf8("another certificate")];
  const image = imageOf(sectionsOf(vector), { certificates: [der, second], pem });
  const pcr8 = async (value: Uint8Array, of: SolvedImage = image) =>
    (await solveNitro({ PCR8: formatHex(value) }, of)).registers[0]!;

  it.each([
    ["the certificate", pcrOf(sha384(der)), "given", "the certificate"],
    ["another one of the PEM", pcrOf(sha384(second)), "other", "certificate 2 of the PEM"],
    ["its fingerprint", sha384(der), "other", "not extended"],
    ["the PEM", pcrOf(sha384(pem)), "other", "PEM text"],
    ["no signature", new Uint8Array(48), "other", "not signed"],
    ["something else", pcrOf(pem), "none", ""],
  ])("PCR8: %s", async (_name, value, answer, what) => {
    const found = await pcr8(value);
    expect([found.answer, found.what ?? ""]).toEqual([answer, expect.stringContaining(what)]);
  });

  it("PCR8 of an image that is not signed", async () => {
    expect(await pcr8(new Uint8Array(48), imageOf(base))).toMatchObject({ answer: "given" });
    expect(await pcr8(pcrOf(der), imageOf(base))).toMatchObject({
      answer: "none",
      what: expect.stringContaining("signed") as string,
    });
  });

  const role = "arn:aws:iam::123456789012:role/Webserver";
  it.each([
    ["as given", role, pcr3Of(role), "given"],
    ["with a newline", role, pcr3Of(`${role}\n`), "other"],
    ["hashed first", role, pcrOf(sha384(utf8(role))), "other"],
    ["of a session", "arn:aws:sts::123456789012:assumed-role/Webserver/i-1", pcr3Of(role), "other"],
    ["of a profile", "arn:aws:iam::123456789012:instance-profile/Webserver", pcr3Of(role), "other"],
    ["of nobody", role, pcrOf(utf8("x")), "none"],
  ])("PCR3: a role %s", async (_name, roleArn, value, answer) => {
    const { registers } = await solveNitro({ PCR3: formatHex(value) }, imageOf(base, { roleArn }));
    expect(registers[0]?.answer).toBe(answer);
  });

  it("PCR4: an enclave's ID in place of its instance's", async () => {
    const { moduleId, pcrs: observed } = PARENTS.documents.find(({ matches }) => matches)!;
    const { registers } = await solveNitro(
      { PCR4: observed["PCR4"]! },
      imageOf(base, { instanceId: moduleId }),
    );
    expect(registers[0]).toMatchObject({ answer: "other", what: "the instance of this enclave" });
  });

  it("leaves registers open that nobody described, and still judges the others", async () => {
    const observed = {
      ...pcrs(base),
      PCR3: "11".repeat(48),
      PCR4: "22".repeat(48),
      PCR5: "0".repeat(96),
      PCR16: "33".repeat(48),
    };
    const { verdict, registers } = await solveNitro(observed, imageOf(base));
    expect(verdict).toBe("match");
    expect(registers.map(({ answer }) => answer).filter((answer) => answer === "open")).toHaveLength(3);
    expect((await solveNitro({ PCR3: "11".repeat(48) }, imageOf(base))).verdict).toBe("none");
  });
});

describe("solving anything", () => {
  it("says match exactly when the image gives every PCR", async () => {
    const values = [...Object.values(pcrs(base)), "0".repeat(96), "ff".repeat(32), "ff".repeat(64)];
    const observed = fc.dictionary(
      fc.constantFrom("PCR0", "PCR1", "PCR2", "PCR8"),
      fc.constantFrom(...values),
      { minKeys: 1 },
    );
    await fc.assert(
      fc.asyncProperty(observed, async (reported) => {
        const own = pcrs(base);
        const same = Object.entries(reported).every(([name, value]) => own[name] === value);
        expect((await solveNitro(reported, imageOf(base))).verdict === "match").toBe(same);
      }),
      { numRuns: 40 },
    );
  });
});
