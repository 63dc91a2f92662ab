/**
 * Machine definitions through their readers: described or refused with a documented error, and words that are quoted
 * for a shell mean what the words alone mean.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { ParseError } from "@bootproof/bytes";
import { MeasureError } from "@bootproof/measure";
import {
  type MachineDescription,
  parseKataConfiguration,
  parseLibvirtDomain,
  parseQemuCommandLine,
  toShape,
} from "@bootproof/measure/machine";
import type { Random } from "../random.ts";
import { attempt, type Case, Complaint, type Target } from "../target.ts";

type Reader = (text: string) => MachineDescription;

const ARGUMENTS: readonly string[] = [
  ...[
    "-enable-kvm",
    "-machine",
    "q35,confidential-guest-support=s,pflash0=c,smp.cpus=2",
    "-cpu",
    "EPYC-v4,stepping=3",
  ],
  ...["-object", "sev-snp-guest,id=s,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on"],
  ...[
    "-object",
    '{"qom-type":"igvm-cfg","id":"i","file":"a.igvm"}',
    "-smp",
    "4,maxcpus=8",
    "-bios",
    "a b,,c.fd",
  ],
  ...[
    "-blockdev",
    "driver=raw,node-name=c,file.driver=file,file.filename=d",
    "-drive",
    "if=pflash,unit=1,file=v",
  ],
  ...[
    "-kernel",
    "vmlinuz",
    "-initrd",
    "initrd",
    "-append",
    "console=ttyS0 a='b c' \"d\" $e `f` ~",
    "--dtb",
    "t",
    "disk",
  ],
];
const PS = `root 1 0 09:00 ? 00:00 /usr/bin/qemu-system-x86_64 ${ARGUMENTS.join(" ")}`;
const DOMAIN = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><vcpu current='2'>4</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>f</loader><kernel>k</kernel><cmdline>a &amp; b</cmdline></os>
<cpu mode='custom'><model>EPYC</model><topology sockets='1' cores='4' threads='1'/></cpu><!-- c --><x><![CDATA[<]]></x>
<launchSecurity type='sev-snp' kernelHashes='yes'><policy>0x30000</policy></launchSecurity>
<qemu:commandline><qemu:arg value='-smp'/><qemu:arg value='3'/></qemu:commandline></domain>`;
const KATA = `# Kata
[hypervisor.qemu]
kernel = "k"
initrd = 'i'
firmware = """f"""
confidential_guest = true
sev_snp_guest = true
default_vcpus = 1
snp_guest_policy = 0x3_0000
enable_annotations = ["a", "b"]
[runtime]
x = {y = 1979-05-27}
`;

const TEXTS: readonly (readonly [string, Reader, string])[] = [
  [
    "parseQemuCommandLine",
    parseQemuCommandLine,
    `qemu-kvm ${ARGUMENTS.map(quote).join(" \\\n  ")} 2>&1 | tee x\n`,
  ],
  ["parseQemuCommandLine", parseQemuCommandLine, PS],
  ["parseQemuCommandLine", parseQemuCommandLine, ["qemu-kvm", ...ARGUMENTS, ""].join("\0")],
  ["parseLibvirtDomain", parseLibvirtDomain, DOMAIN],
  ["parseKataConfiguration", parseKataConfiguration, KATA],
];

const PIECES =
  `' " \\ $ \` { } [ ] ( ) < > & ; | # ~ = , ,, . - -- 0x 09 é __proto__ constructor qom-type id=s policy= -smp -append
  -machine if=pflash <!-- --> <![CDATA[ ]]> <? <!DOCTYPE &amp; &#0; """ ''' [[`
    .split(/\s+/)
    .concat(["\n", "\0", " ", "\ud800"]);

const documented = (error: unknown): boolean =>
  (error instanceof ParseError || error instanceof MeasureError) && error.code !== (undefined as unknown);

/** Definitions as text, changed; and one in four as words, told in two ways. */
export const machine: Target = {
  name: "machine",
  about: "QEMU command lines, libvirt domains and Kata configurations through their readers",
  limit: 1000,
  makeCase: (random) => (random.oneIn(4) ? wordsCase(random) : textCase(random)),
};

function textCase(random: Random): Case {
  const [given, read, seed] = random.pick(TEXTS);
  const text = changed(seed, random);
  return {
    bytes: new TextEncoder().encode(text),
    given,
    run: () => attempt(documented, () => read(text)),
    judge: (answer) => {
      if (answer === undefined) return "refused";
      checkShape(answer as MachineDescription);
      return "accepted";
    },
  };
}

/** What is ready has all that a measurement takes. */
function checkShape(description: MachineDescription): void {
  const shape = toShape(description);
  if (!shape.ready) return;
  const { firmware, igvm, kernel } = shape.files;
  if ((firmware ?? igvm) === undefined) throw new Complaint("a shape without firmware");
  if ((shape.cmdline === undefined) !== (kernel === undefined))
    throw new Complaint("a command line without its kernel");
}

function wordsCase(random: Random): Case {
  const words = ["qemu-kvm", ...ARGUMENTS].map((word) => (random.oneIn(8) ? changed(word, random) : word));
  words[0] = "qemu-kvm";
  const quoted = words.map(quote).join(" ");
  return {
    bytes: new TextEncoder().encode(quoted),
    given: "parseQemuCommandLine of these words quoted, and one by one",
    run: () => [answerTo(quoted), answerTo(words)],
    judge: (answer) => {
      const [byShell, oneByOne] = answer as [unknown, unknown];
      // A word with a NUL is refused alone, and splits text.
      if (!quoted.includes("\0") && !isDeepStrictEqual(byShell, oneByOne))
        throw new Complaint(
          `quoted: ${JSON.stringify(byShell, noBigint)}, alone: ${JSON.stringify(oneByOne, noBigint)}`,
        );
      return typeof oneByOne === "string" ? "refused" : "accepted";
    },
  };
}

const noBigint = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);

/** The description, or the code of the refusal. */
function answerTo(input: string | readonly string[]): unknown {
  let code = "";
  const answer = attempt(
    (error) => {
      code = documented(error) ? (error as MeasureError).code : "";
      return code !== "";
    },
    () => parseQemuCommandLine(input),
  );
  // Whether quotes were lost is asked of text only.
  const notes = answer?.notes.filter((note) => note.code !== "BP-MACHINE-107");
  return answer === undefined ? code : { ...answer, notes };
}

function changed(text: string, random: Random): string {
  let result = text;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(result.length + 1);
    const cut = random.oneIn(3) ? random.below(200) : random.below(3);
    const from = random.below(result.length + 1);
    const piece = random.oneIn(4) ? result.slice(from, from + random.below(100)) : random.pick(PIECES);
    result = result.slice(0, at) + piece + result.slice(at + cut);
  }
  return result;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
