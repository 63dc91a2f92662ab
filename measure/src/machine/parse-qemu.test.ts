import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MeasureError } from "../measure-error.ts";
import { codes, es, refusal, SNP, snp, stops } from "./machine.testing.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";
import { ES_PS_LINE, SNP_ARGUMENTS, SNP_SCRIPT } from "./samples.testing.ts";

describe("a QEMU command line", () => {
  it("in a script: every measured part, exactly", () => {
    expect(parseQemuCommandLine(SNP_SCRIPT)).toEqual({
      source: "qemu",
      vmm: "qemu",
      platform: "snp",
      profileHints: [],
      firmware: "/srv/my guests/OVMF.amdsev.fd",
      kernel: "./vmlinuz",
      initrd: "initrd.img",
      cmdline: "console=ttyS0 root=/dev/vda1  note=$HOME#1",
      vcpus: 4,
      cpu: { kind: "model", name: "EPYC-v4" },
      kernelHashes: true,
      policy: 0x30000n,
      notes: [],
      missing: [],
    });
  });

  it("from ps: JSON arguments keep their quotes, the command line reaches to the next option", () => {
    const description = parseQemuCommandLine(ES_PS_LINE);
    expect(description).toMatchObject({
      platform: "sev-es",
      profileHints: ["es-legacy"],
      firmware: "/usr/share/OVMF/OVMF_CODE.fd",
      varsFile: "/var/lib/libvirt/qemu/nvram/db_VARS.fd",
      cmdline: "ro console=ttyS0,115200 panic=-1 -- single",
      vcpus: 2,
      cpu: { kind: "model", name: "EPYC-Rome" },
      kernelHashes: true,
      policy: 7n,
      missing: [],
    });
    expect(codes(description)).toContain("BP-MACHINE-107");
    expect(stops(description)).toEqual([]);
  });

  it("from /proc/PID/cmdline: an empty command line stays one", () => {
    const bytes = utf8(`${SNP_ARGUMENTS.join("\0")}\0`);
    for (const input of [bytes, new TextDecoder().decode(bytes), SNP_ARGUMENTS])
      expect(parseQemuCommandLine(input)).toMatchObject({
        cmdline: "",
        vcpus: 2,
        kernel: "vmlinuz",
        missing: [],
      });
  });

  it("in libvirt's log, or in a unit of systemd's", () => {
    const log = `2026-11-02 08:15:00.000+0000: starting up libvirt version: 11.9.0, package: 1 (Some Builder), hostname: h
LC_ALL=C \\
PATH=/usr/bin \\
/usr/bin/qemu-system-x86_64 \\
-name guest=vault,debug-threads=on \\
-object '{"qom-type":"sev-snp-guest","id":"lsec0","policy":196608,"kernel-hashes":true}' \\
-machine pc-q35-9.2,confidential-guest-support=lsec0 -accel kvm -cpu EPYC -smp 1 -bios f -kernel k \\
-append 'it'\\''s'
char device redirected to /dev/pts/1 (label charserial0)
`;
    expect(parseQemuCommandLine(log)).toMatchObject({
      platform: "snp",
      cmdline: "it's",
      kernelHashes: true,
      notes: [],
    });
    const unit = `[Service]\nUser=qemu\nExecStart=/usr/bin/qemu-system-x86_64 ${SNP} \\\n  -bios f\nRestart=no\n`;
    expect(parseQemuCommandLine(unit)).toMatchObject({ firmware: "f" });
  });

  it("beside commands that only name QEMU", () => {
    const script = `apt-get install qemu-system-x86 ovmf; man qemu-system-x86_64\nqemu-kvm ${SNP} -bios f`;
    expect(parseQemuCommandLine(script)).toMatchObject({ firmware: "f" });
  });

  it("without the program, or by another name of it", () => {
    for (const start of [
      "",
      "/usr/libexec/qemu-kvm ",
      "kvm ",
      "qemu-system-x86_64-snp-experimental ",
      "A=b exec numactl -N 0 qemu-kvm ",
    ])
      expect(parseQemuCommandLine(`${start}${SNP} -bios f`)).toMatchObject({
        platform: "snp",
        firmware: "f",
      });
    expect(parseQemuCommandLine(["./my-qemu", "-bios", "f"])).toMatchObject({ firmware: "f" });
  });

  it.each<[string, string]>([
    ["no text", ""],
    ["no QEMU", "virsh start guest"],
    ["another architecture", "qemu-system-aarch64 -bios f"],
    ["two machines", "qemu-kvm -bios f\nqemu-kvm -bios g"],
    ["a program without options", "which qemu-kvm"],
  ])("is refused when there is %s", (_, text) => {
    expect(() => parseQemuCommandLine(text)).toThrow(refusal("BP-MACHINE-001"));
    expect(() => parseQemuCommandLine([])).toThrow(refusal("BP-MACHINE-001"));
  });

  it.each(["$OVMF", '"${OVMF}"', "`find .`", "~/OVMF.fd", '"$(pwd)/f"'])(
    "is refused when a shell would expand %s",
    (word) => {
      expect(() => snp(` -bios ${word}`)).toThrow(refusal("BP-MACHINE-002"));
      expect(snp(` -bios '${word.replaceAll("'", "")}'`).firmware).toBe(word);
    },
  );

  it("that expands nothing in QEMU's own command may expand elsewhere", () => {
    expect(parseQemuCommandLine(`cd "$HOME"; qemu-kvm ${SNP} -bios f; rm $X`).firmware).toBe("f");
  });

  it.each<[string, string]>([
    ["an option without argument", " -bios"],
    ["-smp 0", " -smp 0"],
    ["-smp with letters", " -smp 4k"],
    ["-smp with an unknown level", " -smp 4,chips=2"],
    ["a topology of another product", " -smp 4,sockets=2,cores=1,threads=1"],
    ["a topology that does not divide", " -smp 3,cores=2"],
    ["maxcpus below cpus", " -smp 4,maxcpus=2"],
    ["-smp with an unnamed second number", " -smp cores=2,4"],
    ["a machine property without value", " -machine q35,smm"],
    ["a machine property without name", " -machine q35,=on"],
    ["two commas after the machine's name", " -machine q35,,x"],
    ["a CPU family out of range", " -cpu EPYC,family=300"],
    ["a CPU stepping that is no number", " -cpu EPYC,stepping=x"],
    ["two objects of one id", " -object rng-random,id=s"],
    ["a flash unit that is no number", " -drive if=pflash,unit=x,file=f"],
    ["JSON that is none", ` -object '{"qom-type":'`],
    ["JSON with a name twice", ` -object '{"qom-type":"a","id":"x","id":"y"}'`],
    [
      "JSON with a number that doubles round",
      ` -object '{"qom-type":"a","id":"x","policy":18446744073709551615}'`,
    ],
    ["JSON with null", ` -object '{"qom-type":"a","id":null}'`],
    ["JSON that nests too deep", ` -object '${'{"a":'.repeat(17)}1${"}".repeat(17)}'`],
    [
      "too many properties",
      ` -machine ${Array.from({ length: 600 }, (_, index) => `p${index}=1`).join(",")}`,
    ],
  ])("is refused with %s", (_, more) => {
    expect(() => snp(more)).toThrow(refusal("BP-MACHINE-003"));
  });

  it.each<[string, string]>([
    ["a policy that is no number", ",policy=strict"],
    ["an octal policy with a 9", ",policy=09"],
    ["a policy beyond 64 bits", ",policy=0x10000000000000000"],
    ["kernel-hashes=maybe", ",kernel-hashes=maybe"],
    ["host data that is no base64", ",host-data=!!!!"],
    ["host data of 31 bytes", `,host-data=${btoa("h".repeat(31))}`],
    ["an ID block of 95 bytes", `,id-block=${btoa("i".repeat(95))}`],
    ["an ID authentication of 96 bytes", `,id-auth=${btoa("i".repeat(96))}`],
  ])("is refused with %s", (_, property) => {
    expect(() => snp(property)).toThrow(refusal("BP-MACHINE-003"));
  });

  it("is refused with a SEV policy beyond 32 bits", () => {
    expect(() => es(",policy=0x100000000")).toThrow(refusal("BP-MACHINE-003"));
  });

  it.each<[string, string]>([
    ["an open quote", "qemu-kvm -bios 'f"],
    ["bytes after the JSON of ps that never end", 'qemu-kvm -object {"qom-type":"a'],
  ])("is refused with %s, and where", (_, text) => {
    expect(() => parseQemuCommandLine(text)).toThrow(
      expect.objectContaining({ name: "ParseError", code: "TRUNCATED" }) as Error,
    );
  });

  it("is refused when it is no UTF-8, or has a NUL inside of a word", () => {
    expect(() => parseQemuCommandLine(new Uint8Array([0x71, 0xff]))).toThrow(ParseError);
    expect(() => parseQemuCommandLine(["qemu-kvm", "-bios", "a\0b"])).toThrow(ParseError);
  });
});

describe("quotes that were lost", () => {
  it("leave words that no QEMU takes: then the line is one of ps", () => {
    expect(snp(",kernel-hashes=on -bios f -kernel k -append console=ttyS0 ro quiet -smp 2")).toMatchObject({
      cmdline: "console=ttyS0 ro quiet",
      vcpus: 2,
    });
  });

  it("keep the spaces that ps printed", () => {
    const words = ["-append", "a  b ", "-kernel", "k", "-name", "x", "-append", "", "-initrd", "i"];
    const line = `/bin/qemu-kvm -object {"qom-type":"x","id":"y"} ${words.join(" ")}`;
    expect(parseQemuCommandLine(line)).toMatchObject({ cmdline: "", initrd: "i", kernel: "k" });
    expect(parseQemuCommandLine(`${line} -append c   d -x e -m 4`).cmdline).toBe("c   d -x e");
  });

  it("are not lost in shell text that has JSON in an argument", () => {
    expect(snp(`,kernel-hashes=on -bios f -kernel k -append 'a={"b": {"c":1}} d'`).cmdline).toBe(
      'a={"b": {"c":1}} d',
    );
    expect(snp(",kernel-hashes=on -bios f -kernel k -append a 'b' c -smp 2").cmdline).toBe("a 'b' c");
  });

  it("are lost where no shell could read the line", () => {
    const line = `qemu-kvm ${SNP},kernel-hashes=on -bios f -object {"qom-type":"x","id":"y"} -kernel k -append a it's b`;
    expect(parseQemuCommandLine(line).cmdline).toBe("a it's b");
  });

  it("around one word leave a doubt, which stops", () => {
    expect(codes(snp(",kernel-hashes=on -bios f -kernel k -append ro quiet"))).toContain(
      "BP-MACHINE-107 stops",
    );
    expect(stops(snp(" -bios f disk.img"))).toEqual([]);
  });

  it("elsewhere stop too", () => {
    expect(codes(snp(" -bios my firmware file.fd -kernel k"))).toContain("BP-MACHINE-107 stops");
  });
});

describe("hostile input", () => {
  const pieces = fc.constantFrom(
    ...[
      "qemu-kvm ",
      "-object ",
      "sev-snp-guest,",
      "id=s,",
      "policy=",
      "{",
      "}",
      '"',
      "'",
      "\\",
      "=",
      ",",
      ",,",
      " ",
    ],
    ...[
      "-machine ",
      "confidential-guest-support=s",
      "-smp ",
      "4",
      "0x",
      "-cpu ",
      "family=",
      "-append ",
      "\0",
      "\n",
      "$",
    ],
    ...[
      "-blockdev ",
      "node-name=a",
      "file=a",
      "-drive ",
      "if=pflash",
      "pflash0=a",
      '{"a":',
      "[",
      "]",
      "é",
      "-drive if=pflash,",
    ],
  );

  it("is described, or refused with a typed error", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          parseQemuCommandLine(parts.join(""));
        } catch (error) {
          if (!(error instanceof MeasureError)) expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("made from real command lines by a change is described, or refused with a typed error", () => {
    const real = fc.constantFrom(SNP_SCRIPT, ES_PS_LINE, SNP_ARGUMENTS.join("\0"));
    fc.assert(
      fc.property(real, fc.nat(2000), fc.nat(20), pieces, (text, at, cut, piece) => {
        try {
          parseQemuCommandLine(text.slice(0, at) + piece + text.slice(at + cut));
        } catch (error) {
          if (!(error instanceof MeasureError)) expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, string]>([
    ["open JSON", `qemu-kvm -object {"${'\\"'.repeat(60_000)}`],
    ["commas", `qemu-kvm -machine q35${",".repeat(100_000)}`],
    ["commas in a value", `qemu-kvm -machine q35,a=${",,".repeat(60_000)}`],
    ["dashes", `qemu-kvm -append ${"- -a ".repeat(20_000)}`],
    ["brackets in JSON", `qemu-kvm -object '{"a":${"[".repeat(100_000)}'`],
    ["digits", `qemu-kvm -smp ${"9".repeat(100_000)}`],
    ["spaces", `qemu-kvm${" ".repeat(1_000_000)}`],
  ])("of many %s takes no time", (_, text) => {
    const start = performance.now();
    try {
      parseQemuCommandLine(text);
    } catch (error) {
      expect(error).toHaveProperty("code");
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
