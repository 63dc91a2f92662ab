/**
 * The machine that starts an enclave: IAM role and instance ID, which PCR3 and PCR4 take as they are spelled, so that a
 * letter too many gives another register and no error anywhere.
 * @module
 */
import { type Sha384, utf8 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import type { MeasureWarning } from "../measurement.ts";
import { pcrOf } from "./pcr.ts";

// IAM: account of 12 digits, a path that ends with a slash, a name of up to 64 of these characters.
const ROLE = /^arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role\/(?:[!-.0-~]+\/)*[\w+=,.@-]{1,64}$/;
const PROFILE = /^arn:[\w-]+:iam::[0-9]{12}:instance-profile\//;
const SESSION = /^arn:[\w-]+:sts::[0-9]{12}:assumed-role\//;
const INSTANCE = /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;
/** IAM's own limit of an ARN. */
const MAX_TEXT = 2048;

/** PCR3 of an enclave whose parent instance has this IAM role. */
export const pcr3Of = (roleArn: string): Sha384 => pcrOf(utf8(roleArn));

/** PCR4 of an enclave on this parent instance. */
export const pcr4Of = (instanceId: string): Sha384 => pcrOf(utf8(instanceId));

/** What is odd about a role's ARN; throws {@link MeasureError} for what the platform never extends as one. */
export function checkRoleArn(arn: string): MeasureWarning[] {
  checkText("IAM role", arn, "BP-NITRO-001", "arn:aws:iam::123456789012:role/NAME");
  if (ROLE.test(arn)) return [];
  return [{ code: "BP-NITRO-102", message: `${oddRole(arn)}: PCR3 takes the text exactly as it is` }];
}

/** What is odd about an instance ID; throws {@link MeasureError} for what no instance is called. */
export function checkInstanceId(id: string): MeasureWarning[] {
  checkText("instance ID", id, "BP-NITRO-002", "i-0123456789abcdef0");
  if (INSTANCE.test(id)) return [];
  const why = id.includes("-enc")
    ? `${id} is an enclave's ID, not its instance's`
    : `${id} is no instance ID`;
  return [{ code: "BP-NITRO-103", message: `${why}: PCR4 takes the text exactly as it is` }];
}

/** The instance of an enclave, from a document's module_id: `i-0123456789abcdef0-enc0123456789abcdef`. */
export function instanceOfModule(moduleId: string): string | undefined {
  const at = moduleId.lastIndexOf("-enc");
  return at > 0 ? moduleId.slice(0, at) : undefined;
}

function oddRole(arn: string): string {
  if (PROFILE.test(arn)) return `${arn} is an instance profile, not the role in it`;
  if (SESSION.test(arn)) return `${arn} is a session, not the role (arn:aws:iam::ACCOUNT:role/NAME)`;
  return `${arn} is no ARN of an IAM role`;
}

function checkText(
  what: string,
  text: string,
  code: "BP-NITRO-001" | "BP-NITRO-002",
  expected: string,
): void {
  if (text.length > 0 && text.length <= MAX_TEXT && /^[!-~]+$/.test(text)) return;
  const found = text === "" ? "nothing" : JSON.stringify(text.slice(0, 80));
  throw new MeasureError(code, `not an ${what}`, {
    expected,
    found,
    hint: "PCR3 and PCR4 take the text exactly as it is: no spaces, no line ends",
  });
}
