/**
 * Lists the profiles of SEV, SEV-ES and SEV-SNP guests.
 * @module
 */
import { defaultProfile, type Profile, profileNamed, PROFILES } from "@bootproof/measure/snp";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import type { Given } from "../frame/given.ts";
import { formatFields, formatTable } from "../report/table.ts";

/** What the strongest evidence for a profile is, in words. */
const CONFIRMED = {
  hardware: "a value that hardware reported",
  peers: "independent implementations agree",
  source: "source code was read; no value from hardware yet",
} as const;

/** Lists all profiles, or shows one. */
export async function profiles(context: Context, given: Given): Promise<ExitCode> {
  const name = given.optionalArgument(0);
  const shown = name === undefined ? PROFILES : [profileNamed(name.toLowerCase())];
  const text = name === undefined ? formatList(shown, context.command) : shown.map(formatProfile).join("\n");
  await context.answer(text, { schema: "bootproof/profiles/1", profiles: shown.map(toDocument) });
  return EXIT.yes;
}

function formatList(shown: readonly Profile[], command: string): string {
  const rows = shown.map((profile) => [
    profile.name,
    profile.platform,
    profile.vmm + (isDefault(profile) ? " (default)" : ""),
    profile.confirmed,
    profile.dates,
  ]);
  return (
    formatTable(rows, ["profile", "platform", "vmm", "confirmed by", "dates"]) +
    `\nWhat separates them: ${command} profiles NAME. All at once: ${command} measure snp --profile all ...\n`
  );
}

function formatProfile(profile: Profile): string {
  const [first = "none", ...rest] = profile.evidence;
  return formatFields([
    ["profile", profile.name + (isDefault(profile) ? ` (default for --vmm ${profile.vmm})` : "")],
    ...(profile.aliases.length === 0 ? [] : ([["also", profile.aliases.join(", ")]] as const)),
    ["platform", profile.platform],
    ["what", profile.title],
    ["dates", profile.dates],
    ["differs", profile.differs],
    ["confirmed by", `${profile.confirmed}: ${CONFIRMED[profile.confirmed]}`],
    ["guest features", `0x${profile.guestFeatures.toString(16)}`],
    ["evidence", first],
    ...rest.map((line) => ["", line] as const),
  ]);
}

function toDocument(profile: Profile): object {
  const text = JSON.stringify({ ...profile, default: isDefault(profile) }, (_key, value: unknown) =>
    typeof value === "bigint" ? `0x${value.toString(16)}` : value,
  );
  return JSON.parse(text) as object;
}

const isDefault = ({ name, platform, vmm }: Profile): boolean => defaultProfile(platform, vmm).name === name;
