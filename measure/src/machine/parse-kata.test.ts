import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MeasureError } from "../measure-error.ts";
import type { MachineDescription } from "./description.ts";
import { parseKataConfiguration } from "./parse-kata.ts";
import { SNP_KATA } from "./samples.testing.ts";

const kata = (more = "", without = ""): MachineDescription =>
  parseKataConfiguration(
    `[hypervisor.qemu]\n${[
      "kernel='k'",
      "initrd='i'",
      "firmware='f'",
      "confidential_guest=true",
      "sev_snp_guest=true",
    ]
      .filter((line) => without === "" || !line.startsWith(without))
      .join("\n")}\n${more}`,
  );
const codes = ({ notes }: MachineDescription): string[] =>
  notes.map(({ code, stops }) => (stops ? `${code} stops` : code));
const stops = ({ notes }: MachineDescription): string[] =>
  notes.flatMap((note) => (note.stops ? [note.found] : []));
const lacks = ({ missing }: MachineDescription): string[] => missing.map(({ what }) => what);
const refusal = (code: string): Error => expect.objectContaining({ name: "MeasureError", code }) as Error;

describe("a Kata configuration", () => {
  it("gives what it says, and misses what Kata decides at run time", () => {
    const description = parseKataConfiguration(utf8(SNP_KATA));
    expect(description).toMatchObject({
      source: "kata",
      platform: "snp",
      firmware: "/opt/kata/share/ovmf/AMDSEV.fd",
      kernel: "/opt/kata/share/kata-containers/vmlinuz-confidential.container",
      initrd: "/opt/kata/share/kata-containers/kata-containers-initrd-confidential.img",
      cpu: { kind: "model", name: "EPYC-v4" },
      kernelHashes: true,
      policy: 0x30000n,
    });
    expect(description.cmdline).toBeUndefined();
    expect(description.vcpus).toBeUndefined();
    expect(lacks(description)).toEqual(["cmdline", "vcpus"]);
    expect(stops(description)).toEqual([]);
    const [cmdline, vcpus] = description.missing;
    expect(cmdline?.why).toContain("agent.debug_console cgroup_no_v1=all");
    expect(vcpus?.why).toContain("default_vcpus = 1");
  });

  it("says that an image is in no digest", () => {
    expect(codes(kata("image='r'", "initrd"))).toContain("BP-MACHINE-106");
  });

  it.each<[string, string, string]>([
    ["image and initrd", "image='r'", ""],
    ["flash on SEV-SNP", "pflashes=['a']", ""],
    ["an ID block without authentication", `snp_id_block='${btoa("i".repeat(96))}'`, ""],
    ["an ID authentication without block", `snp_id_auth='${btoa("i".repeat(4096))}'`, ""],
    ["no kernel", "", "kernel"],
  ])("with %s does not start", (_, more, without) => {
    expect(codes(kata(more, without))).toContain("BP-MACHINE-102 stops");
  });

  it("without confidential_guest is of an ordinary guest, whatever else it says", () => {
    expect(codes(kata("", "confidential_guest"))).toContain("BP-MACHINE-101 stops");
    expect(codes(parseKataConfiguration("[hypervisor.qemu]\nkernel='k'"))).toContain("BP-MACHINE-101 stops");
  });

  it("without sev_snp_guest leaves the platform to the host", () => {
    const description = kata("", "sev_snp_guest");
    expect(description.platform).toBeUndefined();
    expect(lacks(description)).toContain("platform");
  });

  it("without firmware misses it", () => {
    expect(lacks(kata("", "firmware"))).toContain("firmware");
    expect(lacks(kata("firmware=''", "firmware"))).toContain("firmware");
  });

  it("holds identity and policy", () => {
    const description = kata(
      `snp_guest_policy=0xb0000\nsnp_id_block='${btoa("i".repeat(96))}'\nsnp_id_auth='${btoa("a".repeat(4096))}'`,
    );
    expect(description.policy).toBe(0xb0000n);
    expect(description.idBlock).toEqual(new Uint8Array(96).fill(0x69));
    expect(description.idAuth).toEqual(new Uint8Array(4096).fill(0x61));
    expect(kata().policy).toBe(0x30000n);
  });

  it("overrides the model's signature by cpu_features, as QEMU does", () => {
    expect(kata("cpu_features='pmu=off,stepping=1'").cpu).toEqual({
      kind: "identity",
      name: "EPYC-v4",
      family: 23,
      model: 1,
      stepping: 1,
    });
  });

  it("explains every kind of default_vcpus", () => {
    const why = (value: string): string =>
      kata(value).missing.find(({ what }) => what === "vcpus")?.why ?? "";
    expect(why("")).toContain("1 vCPU ");
    expect(why("default_vcpus=-1")).toContain("as the host has");
    expect(why("default_vcpus=2.5")).toContain("2.5 vCPU");
  });

  it.each<[string, string]>([
    ["no table of QEMU", "[hypervisor.clh]\npath='c'"],
    ["no hypervisor", "[runtime]\na=1"],
    ["a hypervisor that is no table", "hypervisor=1"],
    ["a QEMU that is no table", "[hypervisor]\nqemu=[1]"],
    ["a kernel that is a number", "[hypervisor.qemu]\nkernel=1"],
    ["a flag that is text", "[hypervisor.qemu]\nconfidential_guest='yes'"],
    ["a list that is text", "[hypervisor.qemu]\nconfidential_guest=true\nsev_snp_guest=true\npflashes='x'"],
    ["a list of numbers", "[hypervisor.qemu]\nenable_annotations=[1]"],
    ["vCPUs that are text", "[hypervisor.qemu]\ndefault_vcpus='1'"],
    [
      "a policy that is no integer",
      "[hypervisor.qemu]\nconfidential_guest=true\nsev_snp_guest=true\nsnp_guest_policy=1.5",
    ],
    [
      "a negative policy",
      "[hypervisor.qemu]\nconfidential_guest=true\nsev_snp_guest=true\nsnp_guest_policy=-1",
    ],
  ])("is refused: %s", (_, toml) => {
    expect(() => parseKataConfiguration(toml)).toThrow(refusal("BP-MACHINE-005"));
  });

  it("is refused with an ID block of another size", () => {
    expect(() => kata("snp_id_block='AAAA'\nsnp_id_auth='AAAA'")).toThrow(refusal("BP-MACHINE-003"));
  });
});

describe("hostile TOML", () => {
  it.each<[string, string, string]>([
    ["no TOML", "a =", "BAD_ENCODING"],
    ["a key twice", "[hypervisor.qemu]\nkernel='a'\nkernel='b'", "BAD_ENCODING"],
    ["deep nesting", `a=${"[".repeat(100_000)}`, "BAD_ENCODING"],
    ["too much text", "#".repeat(1024 * 1024 + 1), "TOO_LARGE"],
  ])("is refused: %s", (_, toml, code) => {
    expect(() => parseKataConfiguration(toml)).toThrow(
      expect.objectContaining({ name: "ParseError", code }) as Error,
    );
  });

  it("says where it is broken, in bytes", () => {
    expect(() => parseKataConfiguration("# é\na = \n")).toThrow(
      expect.objectContaining({ offset: 9 }) as Error,
    );
  });

  it("that is no UTF-8 is refused", () => {
    expect(() => parseKataConfiguration(new Uint8Array([0xff]))).toThrow(ParseError);
  });

  it("reaches no prototype", () => {
    const toml = '[hypervisor.qemu]\n"__proto__" = {kernel = "evil"}\nconstructor = "x"\n';
    expect(parseKataConfiguration(toml).kernel).toBeUndefined();
    expect(() => parseKataConfiguration("[hypervisor.__proto__.qemu]\nkernel='k'")).toThrow(
      refusal("BP-MACHINE-005"),
    );
  });

  const pieces = fc.constantFrom(
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "'",
    '"',
    '"""',
    "\n",
    "#",
    "1",
    "true",
    "hypervisor",
    "qemu",
    "kernel",
    "__proto__",
    "é",
    "1979-05-27",
  );
  const typed = (toml: string): void => {
    try {
      parseKataConfiguration(toml);
    } catch (error) {
      if (!(error instanceof MeasureError)) expect(error).toBeInstanceOf(ParseError);
    }
  };

  it("of any pieces is described, or refused with a typed error", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => typed(parts.join(""))),
      { numRuns: 2000 },
    );
  });

  it("made from a real configuration by a change is described, or refused with a typed error", () => {
    fc.assert(
      fc.property(fc.nat(SNP_KATA.length), fc.nat(30), pieces, (at, cut, piece) =>
        typed(SNP_KATA.slice(0, at) + piece + SNP_KATA.slice(at + cut)),
      ),
      { numRuns: 2000 },
    );
  });
});
