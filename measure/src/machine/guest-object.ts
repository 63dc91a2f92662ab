/**
 * QEMU's sev-guest and sev-snp-guest objects (qapi/qom.json; target/i386/sev.c for the defaults).
 * @module
 */
import type { AmdPlatform } from "../snp/profile.ts";
import type { MachineDescription } from "./description.ts";
import type { Findings } from "./notes.ts";
import type { QemuObject } from "./qemu-configuration.ts";
import { badValue, parseBlob, parseNumber, parseSwitch } from "./values.ts";

/** What a guest object says. */
export type GuestParts = Pick<
  MachineDescription,
  "guestFeatures" | "policy" | "hostData" | "idBlock" | "idAuth" | "authorKeyEnabled"
> & {
  readonly platform: AmdPlatform;
  readonly kernelHashes: boolean;
  readonly profileHints: readonly string[];
};

const DEFAULT_SEV_POLICY = 0x1n;
const DEFAULT_SNP_POLICY = 0x3_0000n;
const SEV_POLICY_ES = 0x4n;

/** Reads the object that -machine names, or undefined when it is none of AMD's; throws MeasureError BP-MACHINE-003. */
export function readGuestObject(object: QemuObject, findings: Findings): GuestParts | undefined {
  if (object.type === "sev-guest") return readSev(object, findings);
  return object.type === "sev-snp-guest" ? readSnp(object, findings) : undefined;
}

const COMMON = ["qom-type", "id", "sev-device", "cbitpos", "reduced-phys-bits", "kernel-hashes"];
const SEV = new Set([...COMMON, "dh-cert-file", "session-file", "policy", "handle", "legacy-vm-type"]);

function readSev(object: QemuObject, findings: Findings): GuestParts {
  noteUnknown(object, SEV, findings);
  const policy = policyOf(object, 0xffff_ffffn, DEFAULT_SEV_POLICY, findings);
  const platform = (policy & SEV_POLICY_ES) === 0n ? "sev" : "sev-es";
  const legacy = object.properties.get("legacy-vm-type") ?? "auto";
  const init2 = legacy !== "auto" && !parseSwitch(legacy, "legacy-vm-type");
  if (platform === "sev-es" && !init2)
    findings.note(
      "BP-MACHINE-108",
      `legacy-vm-type ${legacy}`,
      "QEMU creates the VM by KVM_SEV_ES_INIT, whose VMSAs have no FPU state: profile es-legacy; with legacy-vm-type=off it would be es-init2",
    );
  return {
    platform,
    policy,
    kernelHashes: kernelHashesOf(object),
    profileHints: platform === "sev" ? [] : [init2 ? "es-init2" : "es-legacy"],
  };
}

const SNP = new Set([
  ...COMMON,
  "policy",
  "guest-visible-workarounds",
  "id-block",
  "id-auth",
  "author-key-enabled",
  "vcek-disabled",
  "host-data",
]);
const SNP_ACTIVE = 0x1n;
/** Bits of SEV_FEATURES by the properties that patched or newer QEMUs have for them. */
const FEATURES: Readonly<Record<string, bigint>> = {
  "debug-swap": 1n << 5n,
  "secure-tsc": 1n << 9n,
  "secure-avic": 1n << 16n,
};
/** Properties of AMD's out-of-tree branches, never in a QEMU release. */
const AMDESE = new Set(["discard", "auth-key-enabled", "vcek-required", "init-flags"]);

function readSnp(object: QemuObject, findings: Findings): GuestParts {
  const { properties } = object;
  noteUnknown(object, new Set([...SNP, ...AMDESE, ...Object.keys(FEATURES), "tsc-frequency"]), findings);
  const old = [...properties.keys()].filter((key) => AMDESE.has(key));
  if (old.length > 0) noteAmdese(old, findings);
  return {
    platform: "snp",
    policy: policyOf(object, 0xffff_ffff_ffff_ffffn, DEFAULT_SNP_POLICY, findings),
    kernelHashes: kernelHashesOf(object),
    profileHints: old.length > 0 ? ["qemu-amdese-old"] : [],
    ...featuresOf(object, findings),
    ...blobs(object, findings),
    ...(properties.has("author-key-enabled") && {
      authorKeyEnabled: parseSwitch(properties.get("author-key-enabled") ?? "", "author-key-enabled"),
    }),
  };
}

/** Tells that a machine is one of AMD's out-of-tree branches. */
export function noteAmdese(signs: readonly string[], findings: Findings): void {
  findings.note(
    "BP-MACHINE-108",
    signs.join(", "),
    "only AMD's out-of-tree QEMU has this: profile qemu-amdese-old; its hosts may have had debug swap on (guest features 0x21)",
  );
}

function featuresOf({ properties }: QemuObject, findings: Findings): Pick<GuestParts, "guestFeatures"> {
  if (properties.has("init-flags"))
    findings.stop(
      "BP-MACHINE-105",
      `init-flags=${properties.get("init-flags") ?? ""}`,
      "flags of an out-of-tree QEMU set guest features that we do not know; without this, give --guest-features",
    );
  const set = Object.entries(FEATURES).filter(([name]) => {
    const value = properties.get(name);
    return value !== undefined && parseSwitch(value, name);
  });
  if (set.length === 0) return {};
  const guestFeatures = set.reduce((bits, [, bit]) => bits | bit, SNP_ACTIVE);
  findings.note(
    "BP-MACHINE-108",
    set.map(([name]) => `${name}=on`).join(", "),
    `guest features 0x${guestFeatures.toString(16)}, which every VMSA holds`,
  );
  return { guestFeatures };
}

function blobs(
  { properties }: QemuObject,
  findings: Findings,
): Pick<GuestParts, "hostData" | "idBlock" | "idAuth"> {
  const blob = (name: string, length: number): Uint8Array | undefined => {
    const text = properties.get(name);
    return text === undefined ? undefined : parseBlob(text, name, length);
  };
  const hostData = blob("host-data", 32);
  const idBlock = blob("id-block", 96);
  const idAuth = blob("id-auth", 4096);
  if ((idBlock === undefined) !== (idAuth === undefined))
    findings.stop(
      "BP-MACHINE-102",
      idBlock === undefined ? "id-auth without id-block" : "id-block without id-auth",
      "AMD's firmware checks both together; the launch fails",
    );
  return {
    ...(hostData !== undefined && { hostData }),
    ...(idBlock !== undefined && { idBlock }),
    ...(idAuth !== undefined && { idAuth }),
  };
}

function policyOf(
  { type, properties }: QemuObject,
  max: bigint,
  fallback: bigint,
  findings: Findings,
): bigint {
  const text = properties.get("policy");
  if (text !== undefined) return parseNumber(text, "policy", max);
  findings.note(
    "BP-MACHINE-104",
    findings.words("no policy", "no <policy>"),
    `QEMU's default for ${type} is 0x${fallback.toString(16)}`,
  );
  return fallback;
}

function kernelHashesOf({ properties }: QemuObject): boolean {
  const text = properties.get("kernel-hashes");
  return text !== undefined && parseSwitch(text, "kernel-hashes");
}

function noteUnknown({ type, properties }: QemuObject, known: ReadonlySet<string>, findings: Findings): void {
  for (const key of properties.keys()) {
    if (key === "") throw badValue(type, "a name before each value", "");
    if (!known.has(key))
      findings.note(
        "BP-MACHINE-103",
        `${type} ${key}=${properties.get(key) ?? ""}`,
        "no property that we know: we cannot say whether the launch digest depends on it",
      );
  }
}
