/**
 * What the registers that a statement pins amount to: a whole image, half of one, or a mixture of several.
 * @module
 */
import { concatBytes, formatHex, sha384, utf8 } from "@bootproof/bytes";
import type { Report } from "./kms-finding.ts";
import type { PolicyStatement } from "./policy.ts";
import { readPrincipalArn } from "./principal.ts";

type Pinned = ReadonlyMap<number, readonly string[]>;

const ZEROS = new Uint8Array(48);

/** PCR3 of an enclave whose parent instance has a role, in hex; PCR4 likewise from an instance's ID. */
export const registerOfText = (text: string): string => formatHex(sha384(concatBytes(ZEROS, utf8(text))));

/** Judges which registers are pinned, and how. */
export function lintPins(statement: PolicyStatement, pinned: Pinned, report: Report): void {
  const has = (pcr: number): boolean => pinned.has(pcr);
  const image = [0, 1, 2].filter(has);
  const say = (code: Parameters<Report>[0], message: string, fix: string): void =>
    report(code, { message, fix, statement });
  const all = "pin PCR0, PCR1 and PCR2 together: bootproof export kms writes such a policy";
  if (pinned.size > 0 && !has(0) && !has(2)) {
    if (has(8))
      say(
        "BP-KMS-041",
        "of the image only PCR8 is pinned: whatever is signed with that certificate's key gets in, old releases too",
        all,
      );
    else say("BP-KMS-042", `${listed(pinned)} pinned, and any application may run in such an enclave`, all);
  } else if (image.length > 0 && image.length < 3) {
    const missing = [0, 1, 2].filter((pcr) => !has(pcr)).map((pcr) => `PCR${pcr}`);
    say(
      "BP-KMS-040",
      `${missing.join(" and ")} not pinned: PCR0 measures kernel, command line and ramdisks as one string of bytes, and ` +
        "does not tell where one ends and the next begins",
      all,
    );
  }
  lintLists(statement, pinned, report);
  lintCopies(statement, pinned, report);
  lintRole(statement, pinned.get(3), report);
}

const listed = (pinned: Pinned): string =>
  `only ${[...pinned.keys()]
    .sort((a, b) => a - b)
    .map((pcr) => `PCR${pcr}`)
    .join(", ")} ${pinned.size === 1 ? "is" : "are"}`;

/** Values in lists are alternatives, register by register. */
function lintLists(statement: PolicyStatement, pinned: Pinned, report: Report): void {
  // Roles and instances are meant to be combined with images.
  const lists = [...pinned].filter(([pcr, values]) => pcr !== 3 && pcr !== 4 && values.length > 1);
  if (lists.length < 2) return;
  const combinations = lists.reduce((product, [, values]) => product * values.length, 1);
  const names = lists.map(([pcr, values]) => `PCR${pcr} (${values.length})`).join(", ");
  report("BP-KMS-043", {
    message: `${names} are lists, and any of ${combinations} combinations gets in: the kernel of one release with the application of another`,
    fix: "write one statement for each release: bootproof export kms --previous does",
    statement,
  });
}

/** PCR0 equals PCR1 when there is one ramdisk; no other two registers of an image can be equal. */
function lintCopies(statement: PolicyStatement, pinned: Pinned, report: Report): void {
  const values = (pcr: number): readonly string[] => pinned.get(pcr) ?? [];
  for (const [a, b] of [
    [0, 2],
    [1, 2],
    [0, 8],
    [1, 8],
    [2, 8],
  ] as const) {
    if (!values(a).some((value) => values(b).includes(value))) continue;
    report("BP-KMS-029", {
      message: `PCR${a} and PCR${b} have the same value, which no image gives`,
      fix: "look the values up again: bootproof measure nitro FILE",
      statement,
    });
  }
}

/** Whether PCR3 is what the roles of the statement give. */
function lintRole(statement: PolicyStatement, pinned: readonly string[] | undefined, report: Report): void {
  const roles = (statement.principals?.entries ?? [])
    .map(({ value }) => readPrincipalArn(value))
    .filter((arn) => arn?.kind === "role")
    .map((arn) => arn?.text ?? "");
  if (pinned === undefined || roles.length === 0) return;
  if (roles.some((role) => pinned.includes(registerOfText(role)))) return;
  for (const role of roles) {
    const wrong = wrongRegisters(role).find(([value]) => pinned.includes(value));
    if (wrong === undefined) continue;
    report("BP-KMS-016", {
      message: `PCR3 is ${wrong[1]} of ${role}, which no enclave has`,
      fix: `PCR3 is the SHA-384 of 48 zero bytes and the ARN: ${registerOfText(role)}`,
      statement,
    });
    return;
  }
  const [first = ""] = roles;
  report("BP-KMS-015", {
    message: `PCR3 is of another role than ${roles.join(", ")}`,
    fix: `PCR3 of an instance with the role ${first} is ${registerOfText(first)}; another value is right when the caller assumes the role`,
    statement,
  });
}

function wrongRegisters(role: string): [string, string][] {
  const profile = role.replace(":role/", ":instance-profile/");
  return [
    [formatHex(sha384(utf8(role))), "the bare SHA-384"],
    [formatHex(sha384(concatBytes(ZEROS, sha384(utf8(role))))), "the extended SHA-384"],
    [registerOfText(`${role}\n`), "the value with a newline at the end"],
    [registerOfText(`"${role}"`), "the value with quotation marks"],
    [registerOfText(profile), "the instance profile's value"],
  ];
}
