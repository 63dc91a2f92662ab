/**
 * What two launches name besides firmware, direct boot and the usual shape: an SVSM, measured regions, the size of a
 * variable store. Told by their names, so that nothing that differs goes unsaid.
 * @module
 */
import { formatHex, sha256 } from "@bootproof/bytes";
import { differences } from "../explain/byte-differences.ts";
import type { Finding } from "../explain/explanation.ts";
import type { Side } from "../explain/side.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";

/** Inputs that others tell of. */
const KNOWN_ROLES: readonly string[] = ["firmware", "igvm", "kernel", "initrd", "cmdline"];
/** Fields that {@link describeShapes} tells of, in what they mean. */
const KNOWN_FIELDS: readonly string[] = [
  ...["profile", "vmm", "vcpus", "cpu", "cpuSignature", "guestFeatures", "reading"],
];

/** A stranger's document may have any number. */
const MAX_FIELDS = 64;

/** What fields of single VMMs mean. */
const FIELDS: Readonly<Record<string, string>> = {
  varsSize: "the size of the variable store differs: the SVSM lies below it",
  regions: "the measured regions lie at other guest addresses, or have other sizes",
};

/** Other files that differ, or that only one side has. */
export function describeOtherFiles(a: Side, b: Side): Finding[] {
  const roles = [a, b].flatMap(({ artifacts, inputs }) => [
    ...Object.keys(artifacts),
    ...inputs.map(({ role }) => role),
  ]);
  return [...new Set(roles)]
    .filter((role) => !KNOWN_ROLES.includes(role))
    .flatMap((role) => {
      const [one, other] = [hashOf(a, role), hashOf(b, role)];
      if (one === other) return [];
      const only = one === undefined ? "B" : "A";
      const what =
        one === undefined || other === undefined
          ? `only ${only} has a file ${role}`
          : `the file ${role} differs`;
      return [
        {
          subject: role,
          what,
          ...values(one, other),
          details: byteDetails(a, b, role),
          register: LAUNCH_DIGEST,
        },
      ];
    });
}

/** Other fields of the shapes that differ. */
export function describeOtherFields({ shape: a }: Side, { shape: b }: Side): Finding[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((field) => !KNOWN_FIELDS.includes(field))
    .slice(0, MAX_FIELDS)
    .flatMap((field) => {
      const [one, other] = [text(a[field]), text(b[field])];
      if (one === other) return [];
      return [
        {
          subject: field,
          what: FIELDS[field] ?? `the shapes differ in ${field}`,
          ...values(one, other),
          details: [],
          register: LAUNCH_DIGEST,
        },
      ];
    });
}

function hashOf({ artifacts, inputs }: Side, role: string): string | undefined {
  const bytes = artifacts[role];
  if (bytes !== undefined) return `sha256 ${formatHex(sha256(bytes))}`;
  const hashes = inputs.filter((input) => input.role === role).map((input) => input.sha256);
  return hashes.length === 0 ? undefined : `sha256 ${hashes.join(", ")}`;
}

function byteDetails({ artifacts: a }: Side, { artifacts: b }: Side, role: string): string[] {
  const [one, other] = [a[role], b[role]];
  if (one === undefined || other === undefined) return [];
  const found = differences(one, other);
  const sizes = one.length === other.length ? [] : [`sizes ${one.length} and ${other.length} bytes`];
  return found === undefined
    ? sizes
    : [`first differing byte: offset 0x${found.first.toString(16)}; ${found.count} differ in all`, ...sizes];
}

const values = (a: string | undefined, b: string | undefined): { a: string; b: string } => ({
  a: a ?? "none",
  b: b ?? "none",
});

/** A field as text: its JSON when it is no text by itself. */
function text(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value).slice(0, 200);
}
