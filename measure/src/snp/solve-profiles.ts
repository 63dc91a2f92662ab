/**
 * Profiles that a guest may really have run under, and what well-known tools compute in place of one.
 * @module
 */
import type { Axis, Candidate, Standing } from "../solve/axis.ts";
import type { Profile, SnpProfile } from "./profile.ts";
import { CLASSIC_SVSM_VMSA, PROFILES, snpProfile, SVSM_DEFAULT } from "./profiles.ts";

/** What is known of a profile's digests besides the profile's own words: tools that print them unasked. */
const ALSO_PRINTED: Readonly<Record<string, string>> = {
  "ec2-rdx0":
    "snpguest, the sev crate up to 8.0.0 and sev-snp-measure-go print this value for EC2 whatever the host does",
  "qemu-amdese-old": "sev-snp-measure up to 0.0.9 prints this value",
  "qemu-debug-swap": "sev-snp-measure 0.0.9 prints this value by default",
  "es-init2": "sev-snp-measure and the sev crate print this value whatever QEMU's VM type is",
  "es-legacy": "libvirt's virt-qemu-sev-validate prints this value whatever QEMU's VM type is",
};

/** The profiles of the given one's platform; `extra` are those of tools. */
export function profileAxis<P extends Profile>(
  given: P,
  standing: Standing,
  extra: readonly Candidate<P>[] = [],
): Axis<P> {
  const others = PROFILES.filter((other): other is P => other.platform === given.platform)
    .filter(({ name }) => name !== given.name)
    .map((profile) => candidate(profile, given));
  return {
    name: "profile",
    standing,
    candidates: [{ ...candidate(given, given), surprise: 0 }, ...others, ...extra],
  };
}

/** The SNP profiles under which a guest launches, as `launches` says, and the given one in any case. */
export function snpProfileAxis(
  given: SnpProfile,
  standing: Standing,
  launches: (profile: SnpProfile) => boolean,
): Axis<SnpProfile> {
  const { name, candidates } = profileAxis(given, standing, toolProfiles());
  const [first, ...others] = candidates;
  return { name, standing, candidates: [first, ...others.filter(({ value }) => launches(value))] };
}

function candidate<P extends Profile>(profile: P, given: P): Candidate<P> {
  const printed = ALSO_PRINTED[profile.name];
  return {
    value: profile,
    label: `profile ${profile.name}`,
    surprise: profile.vmm === given.vmm ? 2 : 4,
    cause: `${profile.title}: ${profile.dates}${printed === undefined ? "" : `. ${printed}`}`,
  };
}

/** VMSAs that only tools build. */
function toolProfiles(): Candidate<SnpProfile>[] {
  const ec2 = snpProfile("ec2-rdx0");
  const krun: SnpProfile = {
    ...snpProfile("qemu-kvm-mainline"),
    name: "krun-of-the-sev-crate",
    vmsa: { ...ec2.vmsa, ap: ec2.vmsa.bsp },
  };
  const svsm: SnpProfile = {
    ...snpProfile(SVSM_DEFAULT),
    name: "svsm-of-sev-snp-measure",
    vmsa: CLASSIC_SVSM_VMSA,
  };
  return [
    {
      value: svsm,
      label: "the VMSAs of sev-snp-measure's snp:svsm mode",
      surprise: 3,
      cause:
        "its MXCSR is set and its FCW is not, a misspelt field; it also takes guest features 0x1 whatever is asked for",
      tool: "sev-snp-measure up to 0.0.13 with --mode snp:svsm",
    },
    {
      value: krun,
      label: "the VMSAs that the sev crate builds for libkrun",
      surprise: 8,
      rare: true,
      cause: "it builds every vCPU as an application processor, and no libkrun guest boots such an image",
      tool: "the sev crate and snpguest with VMM type KRUN",
    },
  ];
}
