import { ParseError, utf8 } from "@bootproof/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MeasureError } from "../measure-error.ts";
import type { MachineDescription } from "./description.ts";
import { parseLibvirtDomain } from "./parse-libvirt.ts";
import { SNP_DOMAIN } from "./samples.testing.ts";

interface Parts {
  readonly os?: string;
  readonly vcpu?: string;
  readonly cpu?: string;
  readonly security?: string;
  readonly more?: string;
}

const LOADER = "<loader>f</loader>";
const SNP = "<launchSecurity type='sev-snp'><policy>0x30000</policy></launchSecurity>";

const domain = ({
  os = LOADER,
  vcpu = "<vcpu>1</vcpu>",
  cpu = "<cpu><model>EPYC</model></cpu>",
  security = SNP,
  more = "",
}: Parts): MachineDescription =>
  parseLibvirtDomain(
    `<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><os><type arch='x86_64' machine='q35'>hvm</type>${os}</os>${vcpu}${cpu}${security}${more}</domain>`,
  );
const codes = ({ notes }: MachineDescription): string[] =>
  notes.map(({ code, stops }) => (stops ? `${code} stops` : code));
const stops = ({ notes }: MachineDescription): string[] =>
  notes.flatMap((note) => (note.stops ? [note.found] : []));
const lacks = ({ missing }: MachineDescription): string[] => missing.map(({ what }) => what);
const refusal = (code: string): Error => expect.objectContaining({ name: "MeasureError", code }) as Error;

describe("a libvirt domain", () => {
  it("gives every measured part, exactly", () => {
    expect(parseLibvirtDomain(utf8(SNP_DOMAIN))).toEqual({
      source: "libvirt",
      vmm: "qemu",
      platform: "snp",
      profileHints: [],
      firmware: "/usr/share/edk2/ovmf, next/OVMF.amdsev.fd",
      kernel: "/srv/vault/vmlinuz",
      initrd: "/srv/vault/initrd.zst",
      cmdline: 'console=ttyS0 quote="a & b"  ',
      vcpus: 2,
      cpu: { kind: "model", name: "EPYC-Genoa" },
      kernelHashes: true,
      policy: 0x30000n,
      hostData: Uint8Array.from({ length: 32 }, (_, index) => index + 1),
      authorKeyEnabled: false,
      notes: [],
      missing: [],
    });
  });

  it("in a state file of libvirt's is the same domain", () => {
    const inner = SNP_DOMAIN.replace(/^<\?xml.*\?>\n<!--.*-->\n/, "");
    expect(parseLibvirtDomain(`<domstatus state='running'>${inner}</domstatus>`)).toEqual(
      parseLibvirtDomain(SNP_DOMAIN),
    );
  });

  it("of SEV-ES has flash, and a policy that says ES", () => {
    const os = "<loader type='pflash' readonly='yes'>code,1.fd</loader><nvram template='t'>vars.fd</nvram>";
    const security = "<launchSecurity type='sev' kernelHashes='yes'><policy>0x7</policy></launchSecurity>";
    expect(domain({ os, security })).toMatchObject({
      platform: "sev-es",
      profileHints: ["es-legacy"],
      firmware: "code,1.fd",
      varsFile: "vars.fd",
      policy: 7n,
      missing: [],
    });
    const byFile = "<loader type='pflash'>c</loader><nvram type='file'><source file='v'/></nvram>";
    expect(domain({ os: byFile, security }).varsFile).toBe("v");
  });

  it("has no kernel hashes unless it asks for them", () => {
    const os = `${LOADER}<kernel>k</kernel>`;
    const off = domain({ os });
    expect(off.kernelHashes).toBe(false);
    expect(off.notes).toContainEqual(
      expect.objectContaining({ code: "BP-MACHINE-106", found: "<kernel> without kernelHashes='yes'" }),
    );
    const asked = (value: string): MachineDescription =>
      domain({ os, security: SNP.replace("type=", `kernelHashes='${value}' type=`) });
    expect(asked("no").kernelHashes).toBe(false);
    expect(asked("yes").kernelHashes).toBe(true);
  });

  it("takes empty elements for absent, and trims no text", () => {
    const os = `${LOADER}<kernel>k</kernel><initrd/><cmdline>\n  a\n</cmdline>`;
    const description = domain({ os });
    expect(description.initrd).toBeUndefined();
    expect(description.cmdline).toBe("\n  a\n");
    expect(domain({ os: `${LOADER}<kernel>k</kernel><cmdline></cmdline>` }).cmdline).toBeUndefined();
    expect(
      domain({ os: `${LOADER}<kernel>k</kernel><cmdline>a<![CDATA[<&>]]>&#x41;</cmdline>` }).cmdline,
    ).toBe("a<&>A");
  });

  it.each<[string, string, number]>([
    ["<vcpu>3</vcpu>", "", 3],
    ["<vcpu current='2'>8</vcpu>", "", 2],
    ["<vcpu placement='static'>\n  4 </vcpu>", "", 4],
    ["<vcpu>8</vcpu>", "<topology sockets='1' dies='2' cores='2' threads='2'/>", 8],
    ["", "", 1],
  ])("with %s and topology %s starts with %d vCPUs", (vcpu, topology, vcpus) => {
    expect(domain({ vcpu, cpu: `<cpu><model>EPYC</model>${topology}</cpu>` }).vcpus).toBe(vcpus);
  });

  it("that plugs vCPUs in after start has a digest that we do not predict", () => {
    const vcpus = (hotpluggable: string): string =>
      `<vcpus><vcpu id='0' enabled='yes' hotpluggable='${hotpluggable}'/></vcpus>`;
    expect(codes(domain({ more: vcpus("yes") }))).toContain("BP-MACHINE-105 stops");
    expect(stops(domain({ more: vcpus("no") }))).toEqual([]);
  });

  it.each<[string, MachineDescription["cpu"], string[]]>([
    ["<cpu mode='custom'><model>EPYC-Milan</model></cpu>", { kind: "model", name: "EPYC-Milan" }, []],
    ["<cpu><model> EPYC-v4 </model></cpu>", { kind: "model", name: "EPYC-v4" }, []],
    ["<cpu mode='host-passthrough'/>", { kind: "host", name: "host" }, ["cpu"]],
    ["<cpu mode='maximum'/>", { kind: "host", name: "max" }, ["cpu"]],
    ["<cpu mode='host-model'/>", { kind: "host", name: "host-model" }, ["cpu"]],
    ["<cpu match='minimum'><model>EPYC</model></cpu>", { kind: "host", name: "host-model" }, ["cpu"]],
    ["", { kind: "model", name: "qemu64" }, []],
    ["<cpu><topology sockets='1' cores='1' threads='1'/></cpu>", { kind: "model", name: "qemu64" }, []],
  ])("with %s", (cpu, want, missing) => {
    const description = domain({ cpu });
    expect(description.cpu).toEqual(want);
    expect(lacks(description)).toEqual(missing);
  });

  it("that leaves the firmware to libvirt misses it", () => {
    const description = parseLibvirtDomain(
      `<domain type='kvm'><os firmware='efi'><type>hvm</type></os>${SNP}</domain>`,
    );
    expect(description.missing).toContainEqual(
      expect.objectContaining({ what: "firmware", why: expect.stringContaining("running domain") as string }),
    );
    expect(lacks(domain({ os: "" }))).toEqual(["firmware"]);
  });

  it("hands arguments to QEMU that win, whatever the prefix", () => {
    const more =
      "<q:commandline><q:arg value='-smp'/><q:arg value='5,maxcpus=5'/><q:arg value='-cpu'/><q:arg value='EPYC-Rome'/><q:env name='E' value='1'/></q:commandline><q:override/>";
    const description = domain({ more });
    expect(description).toMatchObject({ vcpus: 5, cpu: { name: "EPYC-Rome" } });
    expect(codes(description)).toEqual(["BP-MACHINE-103", "BP-MACHINE-103"]);
    expect(
      domain({ more: "<x:commandline xmlns:x='http://example.com/'><x:arg value='-cpu'/></x:commandline>" })
        .vcpus,
    ).toBe(1);
  });

  it("without launch security, or of another kind, is no AMD guest", () => {
    expect(domain({ security: "" }).notes).toContainEqual(
      expect.objectContaining({ code: "BP-MACHINE-101", found: "no <launchSecurity>", stops: true }),
    );
    expect(codes(domain({ security: "<launchSecurity type='tdx'/>" }))).toContain("BP-MACHINE-101 stops");
  });

  it("that does not start says so", () => {
    expect(codes(domain({ os: "<loader type='pflash'>f</loader>" }))).toContain("BP-MACHINE-102 stops");
    expect(codes(domain({ security: "<launchSecurity type='sev'/>" }))).toContain("BP-MACHINE-102 stops");
    expect(codes(domain({ os: "<loader type='other'>f</loader>" }))).toContain("BP-MACHINE-103 stops");
    const emulated = parseLibvirtDomain(
      `<domain type='qemu'><os><type>hvm</type>${LOADER}</os>${SNP}</domain>`,
    );
    expect(codes(emulated)).toContain("BP-MACHINE-102 stops");
  });

  it("without a policy has QEMU's", () => {
    expect(domain({ security: "<launchSecurity type='sev-snp'/>" })).toMatchObject({ policy: 0x30000n });
  });
});

describe("XML that is no domain of QEMU's", () => {
  it.each<[string, string]>([
    ["another root element", "<network/>"],
    ["a state file without domain", "<domstatus/>"],
    ["another hypervisor", "<domain type='xen'/>"],
    ["no hypervisor", "<domain/>"],
    ["another architecture", "<domain type='kvm'><os><type arch='aarch64'>hvm</type></os></domain>"],
    ["a machine with a comma", "<domain type='kvm'><os><type machine='q35,smm=on'>hvm</type></os></domain>"],
    ["a model with a comma", "<domain type='kvm'><cpu><model>EPYC,family=1</model></cpu></domain>"],
    ["vCPUs that are no number", "<domain type='kvm'><vcpu>all</vcpu></domain>"],
    ["current vCPUs that are no number", "<domain type='kvm'><vcpu current='-1'>2</vcpu></domain>"],
    [
      "a topology that is no number",
      "<domain type='kvm'><vcpu>2</vcpu><cpu><topology cores='x'/></cpu></domain>",
    ],
    ["an unknown launch security", "<domain type='kvm'><launchSecurity type='s390-pv'/></domain>"],
    [
      "a launch security of a name of Object's",
      "<domain type='kvm'><launchSecurity type='constructor'/></domain>",
    ],
    [
      "a switch that is neither yes nor no",
      "<domain type='kvm'><launchSecurity type='sev-snp' kernelHashes='on'/></domain>",
    ],
  ])("is refused: %s", (_, xml) => {
    expect(() => parseLibvirtDomain(xml)).toThrow(refusal("BP-MACHINE-004"));
  });

  it("is refused where QEMU would: a topology of another product", () => {
    const xml = "<domain type='kvm'><vcpu>4</vcpu><cpu><topology sockets='3'/></cpu></domain>";
    expect(() => parseLibvirtDomain(xml)).toThrow(refusal("BP-MACHINE-003"));
  });
});

const LAUGHS = `<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "${"&a;".repeat(10)}"><!ENTITY c "${"&b;".repeat(10)}">]><domain>&c;</domain>`;

describe("hostile XML", () => {
  it.each<[string, string, string]>([
    ["entities that multiply", LAUGHS, "UNSUPPORTED"],
    ["an external entity", "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>", "UNSUPPORTED"],
    ["a document type after a comment", "<!-- --><!DOCTYPE d><domain/>", "UNSUPPORTED"],
    ["an entity that nobody declared", "<domain>&passwd;</domain>", "BAD_ENCODING"],
    ["deep nesting", "<a>".repeat(100_000), "TOO_LARGE"],
    ["nesting of 65", "<a>".repeat(65) + "</a>".repeat(65), "TOO_LARGE"],
    ["too much text", `<domain>${" ".repeat(1024 * 1024)}</domain>`, "TOO_LARGE"],
    ["no element", "<!-- only a comment -->", "BAD_ENCODING"],
    ["nothing", "", "BAD_ENCODING"],
    ["an open element", "<domain type='kvm'>", "BAD_ENCODING"],
    ["an open comment", "<domain><!--", "BAD_ENCODING"],
    ["an open quote", "<domain type='kvm>", "BAD_ENCODING"],
    ["an attribute twice", "<domain type='kvm' type='xen'/>", "BAD_ENCODING"],
    ["two roots", "<domain/><domain/>", "BAD_ENCODING"],
    ["a NUL", "<domain>\0</domain>", "BAD_ENCODING"],
  ])("is refused: %s", (_, xml, code) => {
    expect(() => parseLibvirtDomain(xml)).toThrow(
      expect.objectContaining({ name: "ParseError", code }) as Error,
    );
  });

  it("that is no UTF-8 is refused", () => {
    expect(() => parseLibvirtDomain(new Uint8Array([0x3c, 0xff]))).toThrow(ParseError);
  });

  it("says where it is broken, in bytes", () => {
    expect(() => parseLibvirtDomain("<domain>é&x;</domain>")).toThrow(
      expect.objectContaining({ offset: 10 }) as Error,
    );
  });

  it("nested as deep as allowed is read", () => {
    const xml = `<domain type='kvm'>${"<a>".repeat(63)}${"</a>".repeat(63)}</domain>`;
    expect(parseLibvirtDomain(xml).source).toBe("libvirt");
  });

  it("with > in attributes, comments and CDATA is counted as it is read", () => {
    const noise = `<a b='>'/><!-- <a><a> --><c>${"<![CDATA[<a>]]>".repeat(100)}</c><?p <a> ?>`.repeat(20);
    expect(parseLibvirtDomain(`<domain type='kvm'>${noise}</domain>`).source).toBe("libvirt");
  });

  const pieces = fc.constantFrom(
    "<",
    ">",
    "</",
    "/>",
    "'",
    '"',
    "&",
    "&amp;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x ",
    "?>",
    "<!DOCTYPE",
    "<os>",
    "</os>",
    "type='kvm'",
    "=",
    "é",
  );
  const typed = (xml: string): void => {
    try {
      parseLibvirtDomain(xml);
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

  it("made from a real domain by a change is described, or refused with a typed error", () => {
    fc.assert(
      fc.property(fc.nat(SNP_DOMAIN.length), fc.nat(30), pieces, (at, cut, piece) =>
        typed(SNP_DOMAIN.slice(0, at) + piece + SNP_DOMAIN.slice(at + cut)),
      ),
      { numRuns: 2000 },
    );
  });
});
