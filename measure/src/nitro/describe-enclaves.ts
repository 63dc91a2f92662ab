/**
 * Why two enclaves measure differently, in words: from their sections where these are known, else from which PCRs differ.
 * @module
 */
import { ParseError, parseStrictJson } from "@bootproof/bytes";
import type { Finding } from "../explain/explanation.ts";
import type { Describer, Side } from "../explain/side.ts";
import { describeMeasured } from "./describe-sections.ts";
import { isDebug } from "./expected-pcrs.ts";
import { knownBootstrap } from "./known-bootstrap.ts";
import { namedSections, type NamedSection } from "./side.ts";

/** Words for images, signers and parents of Nitro Enclaves. */
export const nitroDescriber: Describer = {
  describe: (a, b) => {
    const [one, other] = [namedSections(a), namedSections(b)];
    const known = one !== undefined && other !== undefined;
    const image = known
      ? describeMeasured({ side: a, sections: one }, { side: b, sections: other })
      : describeRegisters(a, b);
    return [
      ...describeDebug(a, b),
      ...image.map((finding) => withBootstraps(finding, a, b)),
      ...describeSigner(a, b),
      ...describeParent(a, b),
      ...describeArchitecture(a, b),
      ...(known ? describeUnmeasured(a, b, one, other) : []),
    ];
  },
};

const differs = (name: string, a: Side, b: Side): boolean =>
  a.registers[name] !== undefined &&
  b.registers[name] !== undefined &&
  a.registers[name] !== b.registers[name];

function describeDebug(a: Side, b: Side): Finding[] {
  const [one, other] = [isDebug(a.registers), isDebug(b.registers)];
  if (one === other) return [];
  const mode = (debug: boolean): string =>
    debug ? "debug mode: PCR0, PCR1 and PCR2 are zero" : "not in debug mode";
  return [
    {
      subject: "debug",
      what: `only ${one ? "A" : "B"} is of an enclave in debug mode`,
      a: mode(one),
      b: mode(other),
      details: ["zeros say nothing of the image: they neither match nor contradict it"],
      next: "start the enclave without --debug-mode",
      register: "PCR0",
    },
  ];
}

/** All that PCRs alone say. */
function describeRegisters(a: Side, b: Side): Finding[] {
  if (isDebug(a.registers) || isDebug(b.registers)) return [];
  const [pcr0, pcr1, pcr2] = ["PCR0", "PCR1", "PCR2"].map((name) => differs(name, a, b));
  const known = (name: string): boolean => a.registers[name] !== undefined && b.registers[name] !== undefined;
  const found = (subject: string, what: string, register: string, details: string[] = []): Finding[] => [
    { subject, what, details, register },
  ];
  if (pcr0 !== true && (pcr1 === true || pcr2 === true) && known("PCR0"))
    return found(
      "boundary",
      "PCR0 is equal and PCR1 or PCR2 is not: the same bytes, with the first ramdisk cut elsewhere",
      pcr1 === true ? "PCR1" : "PCR2",
      ["a second ramdisk was split, merged, or lent bytes to the first"],
    );
  if (pcr1 === true && pcr2 === true) return found("image", "kernel side and application differ", "PCR1");
  if (pcr1 === true)
    return found(
      "bootstrap",
      "kernel, command line or first ramdisk differ",
      "PCR1",
      known("PCR2") ? ["PCR2 is equal: the other ramdisks are the same"] : [],
    );
  if (pcr2 === true)
    return found(
      "application",
      "the ramdisks after the first differ",
      "PCR2",
      known("PCR1") ? ["PCR1 is equal: kernel, command line and first ramdisk are the same"] : [],
    );
  if (pcr0 !== true) return [];
  const equal = known("PCR1") && known("PCR2");
  return found(
    equal ? "order" : "image",
    equal
      ? "only PCR0 differs: the same sections, written or hashed in another order"
      : "the images differ; PCR1 and PCR2 would say in what",
    "PCR0",
  );
}

/** What PCR1 gives away of the two sides, with the finding that is about what it hashes. */
function withBootstraps(finding: Finding, a: Side, b: Side): Finding {
  if (!["kernel", "cmdline", "bootstrap", "image", "ramdisk"].includes(finding.subject)) return finding;
  const lines = (
    [
      ["A", a],
      ["B", b],
    ] as const
  ).flatMap(([who, side]) => {
    const known = knownBootstrap(side.registers["PCR1"] ?? "");
    const releases = known?.releases === undefined ? "" : ` (nitro-cli ${known.releases})`;
    return known === undefined
      ? []
      : [`${who} has the PCR1 of a known ${known.architecture} ${known.note}${releases}`];
  });
  return differs("PCR1", a, b) ? { ...finding, details: [...finding.details, ...lines] } : finding;
}

function describeSigner(a: Side, b: Side): Finding[] {
  if (!differs("PCR8", a, b) || isDebug(a.registers) || isDebug(b.registers)) return [];
  const [one, other] = [a.registers["PCR8"] ?? "", b.registers["PCR8"] ?? ""];
  const unsigned = [one, other].map((value) => /^0*$/.test(value));
  if (unsigned[0] !== unsigned[1])
    return [
      {
        subject: "signature",
        what: `only ${unsigned[0] === true ? "B" : "A"} is signed`,
        a: unsigned[0] === true ? "not signed" : one,
        b: unsigned[1] === true ? "not signed" : other,
        details: ["PCR8 is zero without a signature, and no other PCR sees one"],
        register: "PCR8",
      },
    ];
  return [
    {
      subject: "certificate",
      what: "the images are signed with different certificates",
      a: one,
      b: other,
      details: [
        "PCR8 hashes the first certificate in the PEM: a renewed one of the same key gives another value",
      ],
      register: "PCR8",
    },
  ];
}

function describeParent(a: Side, b: Side): Finding[] {
  return (
    [
      ["PCR3", "roleArn", "IAM role of the parent instance"],
      ["PCR4", "instanceId", "parent instance"],
    ] as const
  ).flatMap(([register, subject, what]) =>
    differs(register, a, b)
      ? [
          {
            subject,
            what: `the ${what} differs`,
            a: shapeText(a, subject) ?? a.registers[register] ?? "",
            b: shapeText(b, subject) ?? b.registers[register] ?? "",
            details: ["no matter of the image"],
            register,
          },
        ]
      : [],
  );
}

const shapeText = ({ shape }: Side, name: string): string | undefined => {
  const value = shape[name];
  return typeof value === "string" ? value : undefined;
};

function describeArchitecture(a: Side, b: Side): Finding[] {
  const [one, other] = [shapeText(a, "architecture"), shapeText(b, "architecture")];
  if (one === undefined || other === undefined || one === other) return [];
  const details = ["a flag of the header, which no PCR hashes"];
  return [
    { subject: "architecture", what: "the images are for different processors", a: one, b: other, details },
  ];
}

/** Metadata, and signatures apart from their certificate. */
function describeUnmeasured(
  a: Side,
  b: Side,
  one: readonly NamedSection[],
  other: readonly NamedSection[],
): Finding[] {
  const findings: Finding[] = [];
  const [metaA, metaB] = [one, other].map((all) => all.find(({ type }) => type === "metadata"));
  if (metaA?.sha384 !== metaB?.sha384)
    findings.push({
      subject: "metadata",
      what: "the metadata differs",
      a: metaA === undefined ? "none" : `${metaA.size} bytes`,
      b: metaB === undefined ? "none" : `${metaB.size} bytes`,
      details: metadataDetails(a.artifacts["metadata"], b.artifacts["metadata"]),
    });
  const [signA, signB] = [one, other].map((all) => all.find(({ type }) => type === "signature"));
  const both = signA !== undefined && signB !== undefined;
  if (both && signA.sha384 !== signB.sha384 && !differs("PCR8", a, b))
    findings.push({
      subject: "signature",
      what: "the signatures differ, and their certificate does not",
      details: ["ECDSA signatures hold a random number unless they are made as RFC 6979 says"],
    });
  return findings;
}

const MAX_LINES = 20;

/** Which fields differ, with both values where they are short. */
function metadataDetails(a: Uint8Array | undefined, b: Uint8Array | undefined): string[] {
  if (a === undefined || b === undefined) return [];
  const [one, other] = [fieldsOf(a), fieldsOf(b)];
  if (one === undefined || other === undefined) return ["not JSON on both sides"];
  const names = [...new Set([...one.keys(), ...other.keys()])].filter(
    (name) => one.get(name) !== other.get(name),
  );
  const lines = names
    .slice(0, MAX_LINES)
    .map((name) => `${name}: ${one.get(name) ?? "none"} and ${other.get(name) ?? "none"}`);
  return names.length > MAX_LINES ? [...lines, `${names.length - MAX_LINES} more fields`] : lines;
}

const MAX_METADATA = 2 ** 20;
const MAX_VALUE = 80;

/** The values of the document, and of the objects in it, one level deep. */
function fieldsOf(bytes: Uint8Array): Map<string, string> | undefined {
  try {
    const document = parseStrictJson(bytes, "metadata", MAX_METADATA);
    const fields = Object.entries(objectOf(document)).flatMap(([name, value]): [string, string][] => {
      const inner = Object.entries(objectOf(value));
      return inner.length === 0
        ? [[name, short(value)]]
        : inner.map(([field, held]) => [`${name}.${field}`, short(held)]);
    });
    return new Map(fields);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

const objectOf = (value: unknown): object =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text;
}
