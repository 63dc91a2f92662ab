import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MeasureError } from "../measure-error.ts";
import type { MachineDescription } from "./description.ts";
import { parseQemuCommandLine } from "./parse-qemu.ts";
import { ES_PS_LINE, SNP_ARGUMENTS, SNP_SCRIPT } from "./samples.testing.ts";

const SNP =
  "-enable-kvm -machine q35,confidential-guest-support=s -object sev-snp-guest,id=s,cbitpos=51,reduced-phys-bits=1";
const snp = (more: string): MachineDescription => parseQemuCommandLine(`qemu-system-x86_64 ${SNP}${more}`);
const es = (properties: string, more = ""): MachineDescription =>
  parseQemuCommandLine(
    `qemu-kvm -machine q35,confidential-guest-support=s -object sev-guest,id=s,cbitpos=51,reduced-phys-bits=1${properties}${more}`,
  );
const codes = ({ notes }: MachineDescription): string[] =>
  notes.map(({ code, stops }) => (stops ? `${code} stops` : code));
const stops = ({ notes }: MachineDescription): string[] =>
  notes.flatMap((note) => (note.stops ? [note.found] : []));
const lacks = ({ missing }: MachineDescription): string[] => missing.map(({ what }) => what);
const refusal = (code: string): Error => expect.objectContaining({ name: "MeasureError", code }) as Error;

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

describe("-smp: vCPUs at launch, as QEMU 7.2 counts them", () => {
  it.each<[string, number]>([
    ["", 1],
    ["-smp 4", 4],
    ["-smp cpus=2,maxcpus=4", 2],
    ["-smp maxcpus=3", 3],
    ["-smp sockets=2,cores=2,threads=2", 8],
    ["-smp cores=3", 3],
    ["-smp 2,cpus=3", 3],
    ["-smp cpus=0x4", 4],
    ["-smp 010", 8],
    ["-smp +4", 4],
    ["-smp 4,", 4],
    ["-smp 2,dies=2", 2],
    ["-smp 4 -smp maxcpus=8", 4],
    ["-smp 4,cores=2,sockets=2 -smp 8", 8],
    ["-machine smp.cpus=3", 3],
    ["--smp 2", 2],
  ])("%s is %d", (option, vcpus) => {
    expect(snp(` -bios f ${option}`).vcpus).toBe(vcpus);
  });
});

describe("-cpu", () => {
  it.each<[string, MachineDescription["cpu"]]>([
    ["", { kind: "model", name: "qemu64" }],
    ["-cpu EPYC-v4", { kind: "model", name: "EPYC-v4" }],
    ["-cpu EPYC-Milan,+x2apic,-svm,pmu=off", { kind: "model", name: "EPYC-Milan" }],
    ["-cpu EPYC -cpu EPYC-Genoa", { kind: "model", name: "EPYC-Genoa" }],
    ["-cpu EPYC-v4,stepping=3", { kind: "identity", name: "EPYC-v4", family: 23, model: 1, stepping: 3 }],
    [
      "-cpu EPYC-Turin,family=0x1a,model=17",
      { kind: "identity", name: "EPYC-Turin", family: 26, model: 17, stepping: 0 },
    ],
    [
      "-cpu host,family=25,model=1,stepping=1",
      { kind: "identity", name: "host", family: 25, model: 1, stepping: 1 },
    ],
    ["-cpu host,migratable=off", { kind: "host", name: "host" }],
    ["-cpu max", { kind: "host", name: "max" }],
  ])("%s", (option, cpu) => {
    expect(snp(` -bios f ${option}`).cpu).toEqual(cpu);
  });

  it("host has no signature in the command line: the CPU is missing, not guessed", () => {
    expect(lacks(snp(" -bios f -cpu host"))).toEqual(["cpu"]);
    expect(lacks(snp(" -bios f -cpu host,stepping=1"))).toEqual(["cpu"]);
    expect(lacks(snp(" -bios f -cpu Custom-Model,stepping=1"))).toEqual(["cpu"]);
    expect(lacks(es(",policy=1", " -bios f -cpu host"))).toEqual([]);
  });

  it("absent is qemu64, and said so where it is measured", () => {
    expect(codes(snp(" -bios f -smp 1"))).toContain("BP-MACHINE-104");
  });
});

describe("firmware", () => {
  it.each<[string, string, string | undefined]>([
    ["-pflash", "-pflash code.fd -pflash vars.fd", "vars.fd"],
    [
      "-drive with units, in any order",
      "-drive if=pflash,unit=1,file=vars.fd -drive file=code.fd,unit=0,if=pflash,format=raw,readonly",
      "vars.fd",
    ],
    [
      "-drive without units, in order",
      "-drive if=pflash,file=code.fd,readonly=on -drive if=pflash,file=vars.fd",
      "vars.fd",
    ],
    ["-drive with an index", "-drive if=pflash,index=0,file=code.fd", undefined],
    ["-blockdev by node", "-blockdev node-name=c,driver=file,filename=code.fd -machine pflash0=c", undefined],
    [
      "-blockdev inside",
      "-blockdev node-name=c,driver=raw,file.driver=file,file.filename=code.fd -machine pflash0=c",
      undefined,
    ],
    [
      "-blockdev by reference",
      "-blockdev driver=file,node-name=f,filename=code.fd -blockdev raw,node-name=c,file=f -machine pflash0=c",
      undefined,
    ],
    [
      "-blockdev as JSON",
      `-blockdev '{"driver":"raw","node-name":"c","file":{"driver":"file","filename":"code.fd"}}' -machine pflash0=c`,
      undefined,
    ],
    ["-bios beside flash, which QEMU ignores", "-pflash code.fd -bios other.fd", undefined],
  ])("of SEV by %s", (_, options, vars) => {
    const description = es(",policy=1", ` ${options}`);
    expect(description.firmware).toBe("code.fd");
    expect(description.varsFile).toBe(vars);
    expect(stops(description)).toEqual([]);
  });

  it("keeps commas that are written as two", () => {
    expect(es("", " -drive if=pflash,file=a,,b.fd").firmware).toBe("a,b.fd");
    expect(es("", " -bios a,,b.fd").firmware).toBe("a,,b.fd");
  });

  it("is set by -machine too, as in QEMU", () => {
    expect(snp(" -machine firmware=f,kernel=k,append=x")).toMatchObject({
      firmware: "f",
      kernel: "k",
      cmdline: "x",
    });
  });

  it("in flash does not start on SEV-SNP", () => {
    expect(codes(snp(" -pflash f"))).toContain("BP-MACHINE-102 stops");
  });

  it("in another format than raw is not the file's bytes", () => {
    expect(codes(es("", " -drive if=pflash,format=qcow2,file=f"))).toContain("BP-MACHINE-105 stops");
    expect(codes(es("", " -blockdev qcow2,node-name=c,file.filename=f -machine pflash0=c"))).toContain(
      "BP-MACHINE-105 stops",
    );
    expect(
      codes(es("", " -blockdev raw,node-name=c,size=4096,file.filename=f -machine pflash0=c")),
    ).toContain("BP-MACHINE-105 stops");
  });

  it("behind nodes that refer to each other is missing, without end", () => {
    expect(lacks(es("", " -blockdev raw,node-name=c,file=c -machine pflash0=c"))).toEqual(["firmware"]);
    expect(lacks(es("", " -machine pflash0=c"))).toEqual(["firmware"]);
  });

  it("absent is missing: nobody measures SeaBIOS", () => {
    expect(lacks(snp(""))).toEqual(["firmware"]);
  });

  it("in an IGVM file wins over -bios", () => {
    const description = snp(" -machine igvm-cfg=i -object igvm-cfg,id=i,file=g.igvm -bios f");
    expect(description).toMatchObject({ igvm: "g.igvm", missing: [] });
    expect(description.firmware).toBeUndefined();
    expect(codes(description)).toContain("BP-MACHINE-106");
  });

  it("in an IGVM file that no machine names is not loaded, and a name without file does not start", () => {
    expect(snp(" -object igvm-cfg,id=i,file=g.igvm -bios f")).toMatchObject({ firmware: "f" });
    expect(codes(snp(" -machine igvm-cfg=i -bios f"))).toContain("BP-MACHINE-102 stops");
  });
});

describe("the guest object", () => {
  it("must be named by the machine, or the guest is an ordinary one", () => {
    const unnamed = parseQemuCommandLine(
      "qemu-kvm -enable-kvm -object sev-snp-guest,id=s,cbitpos=51 -bios f",
    );
    expect(unnamed.platform).toBeUndefined();
    expect(codes(unnamed)).toContain("BP-MACHINE-101 stops");
    expect(codes(parseQemuCommandLine("qemu-kvm -enable-kvm -bios f"))).toContain("BP-MACHINE-101 stops");
    expect(codes(parseQemuCommandLine("qemu-kvm -M q35,confidential-guest-support=x -bios f"))).toContain(
      "BP-MACHINE-102 stops",
    );
    expect(
      codes(parseQemuCommandLine("qemu-kvm -M confidential-guest-support=t -object tdx-guest,id=t -bios f")),
    ).toContain("BP-MACHINE-101 stops");
  });

  it("may be named by the old property", () => {
    expect(
      parseQemuCommandLine("qemu-kvm -M q35,memory-encryption=s -object sev-guest,id=s -bios f").platform,
    ).toBe("sev");
  });

  it("is SEV-ES by bit 2 of its policy; the defaults are SEV and 0x30000", () => {
    expect(es("")).toMatchObject({ platform: "sev", policy: 1n, profileHints: [] });
    expect(es(",policy=0x4")).toMatchObject({ platform: "sev-es", policy: 4n, profileHints: ["es-legacy"] });
    expect(es(",policy=5,legacy-vm-type=on").profileHints).toEqual(["es-legacy"]);
    expect(es(",policy=5,legacy-vm-type=auto").profileHints).toEqual(["es-legacy"]);
    expect(es(",policy=5,legacy-vm-type=off").profileHints).toEqual(["es-init2"]);
    expect(snp("").policy).toBe(0x30000n);
  });

  it("holds host data and identity as bytes", () => {
    const base64 = (byte: number, length: number): string =>
      btoa(String.fromCharCode(...new Uint8Array(length).fill(byte)));
    const description = snp(
      `,host-data=${base64(1, 32)},id-block=${base64(2, 96)},id-auth=${base64(3, 4096)},author-key-enabled=on`,
    );
    expect(description.hostData).toEqual(new Uint8Array(32).fill(1));
    expect(description.idBlock).toEqual(new Uint8Array(96).fill(2));
    expect(description.idAuth).toEqual(new Uint8Array(4096).fill(3));
    expect(description.authorKeyEnabled).toBe(true);
    expect(codes(snp(`,id-block=${base64(2, 96)}`))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(`,id-auth=${base64(2, 4096)}`))).toContain("BP-MACHINE-102 stops");
  });

  it("sets guest features by the properties of patched QEMUs", () => {
    expect(snp("").guestFeatures).toBeUndefined();
    expect(snp(",debug-swap=on").guestFeatures).toBe(0x21n);
    expect(snp(",secure-tsc=on,debug-swap=off").guestFeatures).toBe(0x201n);
    expect(codes(snp(",init-flags=5"))).toContain("BP-MACHINE-105 stops");
  });

  it("of AMD's out-of-tree branches points to their profile", () => {
    expect(snp(",discard=none").profileHints).toEqual(["qemu-amdese-old"]);
    expect(
      snp(" -object memory-backend-memfd-private,id=r -machine kvm-type=protected").profileHints,
    ).toEqual(["qemu-amdese-old"]);
  });

  it("with a property that we do not know says so", () => {
    expect(codes(snp(",future=on"))).toContain("BP-MACHINE-103");
    expect(codes(es(",future=on"))).toContain("BP-MACHINE-103");
  });
});

describe("direct boot", () => {
  it("is measured with kernel-hashes=on only, and QEMU's default is off", () => {
    expect(snp(",kernel-hashes=on -bios f -kernel k").kernelHashes).toBe(true);
    const off = snp(" -bios f -kernel k -append x");
    expect(off.kernelHashes).toBe(false);
    expect(codes(off)).toContain("BP-MACHINE-106");
  });

  it("keeps an absent command line apart from an empty one, and paths with commas whole", () => {
    expect(snp(",kernel-hashes=on -bios f -kernel k").cmdline).toBeUndefined();
    expect(snp(",kernel-hashes=on -bios f -kernel k -append ''").cmdline).toBe("");
    expect(snp(",kernel-hashes=on -bios f -kernel k -initrd 'a b,c'").initrd).toBe("a b,c");
  });

  it("without a kernel does not start", () => {
    expect(codes(snp(",kernel-hashes=on -bios f"))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(" -bios f -append x"))).toContain("BP-MACHINE-102 stops");
    expect(codes(snp(" -bios f -initrd i"))).toContain("BP-MACHINE-102 stops");
    expect(stops(es(",kernel-hashes=on", " -bios f"))).toEqual([]);
  });

  it.each<[string, string]>([
    ["a device tree", "-dtb d"],
    ["microvm's own parameters", "-machine microvm"],
    ["an IGVM file", "-machine igvm-cfg=i -object igvm-cfg,id=i,file=g"],
  ])("with %s has a digest that we do not predict", (_, option) => {
    expect(codes(snp(`,kernel-hashes=on -bios f -kernel k ${option}`))).toContain("BP-MACHINE-105 stops");
  });

  it("with a shim says that it is in no hash", () => {
    expect(codes(snp(",kernel-hashes=on -bios f -kernel k -shim s"))).toContain("BP-MACHINE-106");
  });
});

describe("what is not on the command line", () => {
  it.each([
    "-readconfig c",
    "-incoming defer",
    "-loadvm x",
    "-set a.b.c=d",
    "-global EPYC-x86_64-cpu.stepping=3",
    "-device EPYC-x86_64-cpu,socket-id=1",
    `-device '{"driver":"EPYC-x86_64-cpu"}'`,
  ])("%s stops a measurement", (option) => {
    expect(codes(snp(` -bios f ${option}`))).toContain("BP-MACHINE-103 stops");
  });

  it("-global and -device of other things do not", () => {
    expect(stops(snp(" -bios f -global virtio-net.x=1 -device virtio-net,id=n"))).toEqual([]);
  });

  it("an accelerator that is not KVM does not start, none is taken for KVM", () => {
    const start = SNP.replace("-enable-kvm ", "");
    expect(codes(parseQemuCommandLine(`${start} -bios f -accel tcg`))).toContain("BP-MACHINE-102 stops");
    expect(codes(parseQemuCommandLine(`${start} -bios f -machine accel=tcg`))).toContain(
      "BP-MACHINE-102 stops",
    );
    for (const kvm of ["-accel kvm", "-machine accel=kvm:tcg", "--enable-kvm", ""])
      expect(stops(parseQemuCommandLine(`${start} -bios f ${kvm}`))).toEqual([]);
  });

  it("an option that we do not know is told, and takes a word that is none", () => {
    const description = snp(" -future x -bios f -flag -cpu EPYC");
    expect(description).toMatchObject({ firmware: "f", cpu: { name: "EPYC" } });
    expect(codes(description).filter((code) => code === "BP-MACHINE-103")).toHaveLength(2);
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
