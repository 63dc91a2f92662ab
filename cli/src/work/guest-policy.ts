/**
 * Decodes guest policies, and builds them from names.
 * @module
 */
import {
  type DecodedPolicy,
  decodeGuestPolicy,
  decodeSevPolicy,
  kvmPolicyFault,
} from "@bootproof/measure/identity";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { readPolicy, readVersion } from "../identity/read-policy.ts";
import { formatTable } from "../report/table.ts";

/** Shows every bit of a policy. */
export async function guestPolicy(context: Context, given: Given): Promise<ExitCode> {
  const platform = given.flag("sev") ? "sev" : "snp";
  const text = given.arguments(0).join(",");
  const abi = given.text("abi");
  if (abi !== undefined && /^[0-9]/.test(text))
    throw usage("--abi goes with names", "a number has the version in it already");
  const version = abi === undefined ? undefined : readVersion("--abi", abi);
  const policy = readPolicy("the policy", platform, text, version);
  const decoded = platform === "snp" ? decodeGuestPolicy(policy) : decodeSevPolicy(policy);
  const fault = platform === "snp" ? kvmPolicyFault(policy) : undefined;
  for (const { code, message } of decoded.warnings) context.note(`warning: ${message} (${code})`);
  await context.answer(formatPolicy(decoded, fault), toDocument(decoded, fault));
  return EXIT.yes;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function formatPolicy({ platform, value, fields }: DecodedPolicy, fault: string | undefined): string {
  const rows = fields.map(({ bits, name, value: set, meaning }) => [bits, name, String(set), meaning]);
  const kvm =
    platform === "snp"
      ? `KVM: ${fault === undefined ? "takes it where the firmware does" : `refuses it: ${fault}`}\n`
      : "";
  return `${hex(value)}\n${formatTable(rows, ["bits", "name", "value", "meaning"])}${kvm}`;
}

function toDocument(
  { platform, value, fields, reserved, warnings }: DecodedPolicy,
  fault: string | undefined,
): object {
  return {
    schema: "bootproof/guest-policy/1",
    platform,
    policy: hex(value),
    fields,
    reserved: hex(reserved),
    ...(platform === "snp" && {
      kvm: { accepted: fault === undefined, ...(fault !== undefined && { reason: fault }) },
    }),
    warnings,
  };
}
