/**
 * The profiles, as data: a new VMM or epoch is a new row, never a new branch.
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type {
  AmdPlatform,
  Profile,
  Segment,
  SevEsProfile,
  SevProfile,
  SnpProfile,
  StartState,
  Vmm,
  VmsaProfile,
} from "./profile.ts";

const segment = (attributes: number, selector = 0): Segment => ({ selector, attributes, limit: 0xffff });

/** The architecture's reset state; a VMM that sets segments itself adds accessed bits, so attributes differ. */
const realMode = (cs: number, ss: number, tr: number): StartState => ({
  reset: "real mode",
  cs: segment(cs, 0xf000),
  ss: segment(ss),
  ds: segment(0x93),
  gs: segment(0x93),
  tr: segment(tr),
  cr0: 0x10n,
});

const DEFAULT_PAT = 0x0007_0406_0007_0406n;
/** KVM's INITIAL_VMSA_GPA: the highest page of a 48-bit guest. */
const HIGHEST_48 = 0xffff_ffff_f000n;
const HIGHEST_52 = 0xf_ffff_ffff_f000n;

// KVM_SET_SREGS as QEMU calls it sets the accessed bits of every segment.
const QEMU_START = realMode(0x9b, 0x93, 0x8b);
// Nobody calls KVM_SET_SREGS with other values: what KVM's reset left, with the accessed bits that reading adds.
const KVM_RESET_START = realMode(0x9a, 0x92, 0x83);

const QEMU_VMSA: VmsaProfile = {
  bsp: QEMU_START,
  ap: QEMU_START,
  gPat: DEFAULT_PAT,
  rdx: "cpu signature",
  mxcsr: 0x1f80,
  fcw: 0x037f,
  bspRegisters: [],
};
const QEMU_VMSA_WITHOUT_FPU: VmsaProfile = { ...QEMU_VMSA, mxcsr: 0, fcw: 0 };

const QEMU_SNP = {
  platform: "snp",
  vmm: "qemu",
  guestFeatures: 0x1n,
  image: "ovmf",
  memoryPages: "ZERO",
  unknownSections: "ZERO",
  cpuidLast: false,
  kernelHashes: true,
  fixedPages: [],
  vmsaGuestAddress: HIGHEST_48,
  vmsa: QEMU_VMSA,
} as const satisfies Partial<SnpProfile>;

const EC2_SNP = {
  ...QEMU_SNP,
  vmm: "ec2",
  kernelHashes: false,
  cpuidLast: true,
  vmsa: {
    bsp: KVM_RESET_START,
    ap: realMode(0x9b, 0x92, 0x83),
    gPat: DEFAULT_PAT,
    rdx: 0x600,
    mxcsr: 0,
    fcw: 0,
    bspRegisters: [],
  },
} as const satisfies Partial<SnpProfile>;

const GCE_SNP = {
  ...QEMU_SNP,
  vmm: "gce",
  kernelHashes: false,
  memoryPages: "UNMEASURED",
  unknownSections: "refused",
  vmsa: {
    bsp: QEMU_START,
    ap: QEMU_START,
    gPat: 0x0007_0106n,
    rdx: 0x600,
    mxcsr: 0,
    fcw: 0,
    bspRegisters: [],
  },
} as const satisfies Partial<SnpProfile>;

const SNP_PROFILES: readonly SnpProfile[] = [
  {
    ...QEMU_SNP,
    name: "qemu-kvm-mainline",
    aliases: ["qemu"],
    title: "QEMU on mainline KVM",
    dates: "QEMU 9.1 (September 2024) and later on Linux 6.11 and later, to today (QEMU 11.1, Linux 7.2)",
    differs:
      "guest features 0x1 and FPU defaults in the VMSA (MXCSR 0x1f80, FCW 0x37f); qemu-debug-swap has features 0x21, qemu-amdese-old has no FPU state",
    evidence: [
      "QEMU target/i386/sev.c: sections in descriptor order, unknown types as ZERO, VMSAs at launch finish",
      "Linux arch/x86/kvm/svm/sev.c: sev_es_sync_vmsa copies FPU state of SNP guests; INITIAL_VMSA_GPA",
      "sev-snp-measure 0.0.13 and the sev crate 8.0.0 agree on every vector without outer spaces in the command line",
    ],
    confirmed: "peers",
  },
  {
    ...QEMU_SNP,
    name: "qemu-debug-swap",
    aliases: ["debug-swap"],
    title: "QEMU on KVM with debug swap on by default",
    dates:
      "hosts on Linux 6.6 to early 6.8 stable kernels and AMDESE trees of 2023 and 2024 with kvm_amd.debug_swap on",
    differs: "guest features 0x21 instead of qemu-kvm-mainline's 0x1; nothing else",
    evidence: [
      "AMDESE/AMDSEV issue 195 and virtee/sev-snp-measure issue 30: digests changed with the host kernel",
      "sev-snp-measure's default went 0x1, 0x21 (0.0.9), 0x1 (0.0.10)",
    ],
    confirmed: "peers",
    guestFeatures: 0x21n,
  },
  {
    ...QEMU_SNP,
    name: "qemu-amdese-old",
    aliases: ["amdese-old"],
    title: "QEMU and KVM of AMD's out-of-tree branches, before KVM_SEV_INIT2",
    dates: "AMDESE branches from March 2023 to spring 2024; no mainline kernel",
    differs: "MXCSR and FCW are 0 in the VMSA; qemu-kvm-mainline has 0x1f80 and 0x37f; nothing else",
    evidence: [
      "virtee/sev-snp-measure pull requests 48 and 49: KVM_SEV_INIT2 put FPU state into the VMSA",
      "sev-snp-measure up to 0.0.9 computed these values",
    ],
    confirmed: "peers",
    vmsa: QEMU_VMSA_WITHOUT_FPU,
  },
  {
    ...EC2_SNP,
    name: "ec2-rdx600",
    aliases: ["ec2"],
    title: "Amazon EC2, hosts that reset RDX to 0x600",
    dates: "seen April 2026 (c6a.xlarge) to today; the change from ec2-rdx0 came after August 2023",
    differs:
      "RDX is 0x600 in the VMSA; ec2-rdx0 has 0. A guest keeps its digest until it is stopped and started",
    evidence: [
      "report read on c6a.xlarge, April 2026: aws/uefi issue 19, virtee/sev-snp-measure pull request 60",
      "sev-snp-measure 0.0.13; the sev crate 8.0.0 still computes ec2-rdx0",
    ],
    confirmed: "hardware",
  },
  {
    ...EC2_SNP,
    name: "ec2-rdx0",
    aliases: [],
    title: "Amazon EC2, older hosts with RDX 0",
    dates: "seen August 2023 (m6a.xlarge); replaced by ec2-rdx600 before April 2026",
    differs: "RDX is 0 in the VMSA; ec2-rdx600 has 0x600; nothing else",
    evidence: [
      "report read on m6a.xlarge, 31 August 2023 (aws/uefi issue 10), equal to this profile",
      "sev crate 8.0.0 and sev-snp-measure-go",
    ],
    confirmed: "hardware",
    vmsa: { ...EC2_SNP.vmsa, rdx: 0 },
  },
  {
    ...GCE_SNP,
    name: "gce-milan",
    aliases: ["gce"],
    title: "Google Compute Engine on Milan (N2D)",
    dates: "2023 to today",
    differs:
      "VMSA pages at 0xfffffffff000; gce-genoa has 0xffffffffff000. From QEMU: SNP_SEC_MEM pages UNMEASURED, PAT 0x70106, RDX 0x600, no FPU state",
    evidence: [
      "google/gce-tcb-verifier: its unit tests' digests equal this profile's",
      "sev-snp-measure 0.0.13 (gce)",
    ],
    confirmed: "peers",
  },
  {
    ...GCE_SNP,
    name: "gce-genoa",
    aliases: [],
    title: "Google Compute Engine on Genoa and later (52-bit addresses)",
    dates: "with the first Genoa machines that offer SEV-SNP; no report published",
    differs:
      "VMSA pages at 0xffffffffff000, the highest page of 52 bits; gce-milan has 0xfffffffff000; nothing else",
    evidence: ["google/gce-tcb-verifier, ProductHighAddress: address -1 cut to the product's address width"],
    confirmed: "source",
    vmsaGuestAddress: HIGHEST_52,
  },
  {
    ...QEMU_SNP,
    name: "libkrun",
    aliases: ["krun"],
    vmm: "libkrun",
    title: "libkrun, whose guests boot no OVMF",
    dates: "libkrun's SEV-SNP builds, as its source was in 2026, on mainline KVM",
    differs:
      "regions instead of an OVMF image, four fixed page ranges after them, segments as KVM's reset leaves them, RDX 0, stack and boot parameters in the boot processor's registers",
    evidence: [
      "containers/libkrun src/vmm/src/linux/tee/amdsnp/mod.rs (order and fixed pages)",
      "containers/libkrun src/arch/src/x86_64/regs.rs and layout.rs (registers; application processors at 0xfff3)",
      "the sev crate's KRUN type has no FPU state and never reaches its boot processor's registers: not followed",
    ],
    confirmed: "source",
    image: "regions",
    kernelHashes: false,
    unknownSections: "refused",
    fixedPages: [
      { label: "initial LIDT", type: "ZERO", guestAddress: 0x0, size: 0x1000 },
      { label: "secrets", type: "SECRETS", guestAddress: 0x5000, size: 0x1000 },
      { label: "CPUID", type: "CPUID", guestAddress: 0x6000, size: 0x1000 },
      { label: "firmware stack and page tables", type: "ZERO", guestAddress: 0x8000, size: 0x7000 },
    ],
    vmsa: {
      ...QEMU_VMSA,
      bsp: KVM_RESET_START,
      ap: { ...KVM_RESET_START, resetAddress: 0xffff_fff3 },
      rdx: 0,
      bspRegisters: [
        { name: "RSP", offset: 0x1d8, value: 0x8ff0n },
        { name: "RBP", offset: 0x328, value: 0x8ff0n },
        { name: "RSI", offset: 0x330, value: 0x7000n },
      ],
    },
  },
  {
    ...QEMU_SNP,
    name: "clh-kvm",
    aliases: ["cloud-hypervisor", "clh"],
    vmm: "cloud-hypervisor",
    title: "cloud-hypervisor on KVM, whose guests boot IGVM files",
    dates: "cloud-hypervisor of 2026 (pull requests 8084 and 8123) and later, as its source was then",
    differs:
      "no byte from qemu-kvm-mainline for the same image in QEMU's reset state; it takes register state from the IGVM file, so measure that file where there is one",
    evidence: [
      "cloud-hypervisor hypervisor/src/kvm/mod.rs (setup_sev_snp_regs: registers of the IGVM file through KVM_SET_SREGS)",
      "cloud-hypervisor hypervisor/src/kvm/x86_64/sev.rs (KVM_SEV_INIT2, so FPU state is measured)",
      "cloud-hypervisor pull requests 8084 and 8123: the kernel hashes table is QEMU's; its users measure with QEMU's rules",
    ],
    confirmed: "source",
  },
];

const flatData: Segment = { selector: 0x10, attributes: 0xc93, limit: 0xffff_ffff };
/** 32-bit protected mode without paging, for all processors alike. */
const SVSM_START: StartState = {
  reset: "flat",
  cs: { selector: 0x8, attributes: 0xc9b, limit: 0xffff_ffff },
  ss: flatData,
  ds: flatData,
  gs: segment(0x93),
  tr: segment(0x8b),
  cr0: 0x11n,
};

const SVSM_SNP = {
  ...QEMU_SNP,
  image: "svsm",
  kernelHashes: false,
  vmsa: { ...QEMU_VMSA_WITHOUT_FPU, bsp: SVSM_START, ap: SVSM_START },
} as const satisfies Partial<SnpProfile>;

/** The VMSA of the classic tool's snp:svsm mode, a state that no processor has. */
export const CLASSIC_SVSM_VMSA: VmsaProfile = { ...SVSM_SNP.vmsa, mxcsr: 0x1f80 };

/** The profile of SVSM guests when none is named. */
export const SVSM_DEFAULT = "svsm-2024";

const SVSM_PROFILES: readonly SnpProfile[] = [
  {
    ...SVSM_SNP,
    name: SVSM_DEFAULT,
    aliases: ["svsm"],
    title: "coconut SVSM beside OVMF, on coconut's QEMU and kernel before IGVM",
    dates: "coconut-svsm of 2023 and early 2024; later releases boot IGVM files",
    differs:
      "MXCSR and FCW are 0 in the VMSA; svsm-fpu has 0x1f80 and 0x37f. sev-snp-measure 0.0.13 sets the first only, a digest of no guest",
    evidence: [
      "digest read from hardware for 4 vCPUs, in virtee/sev-snp-measure's tests until commit ae95e59",
      "coconut-svsm/linux e1335c6f0, which copies no FPU state into VMSAs",
    ],
    confirmed: "hardware",
  },
  {
    ...SVSM_SNP,
    name: "svsm-fpu",
    aliases: [],
    title: "coconut SVSM beside OVMF, on kernels that copy FPU state into VMSAs",
    dates: "coconut's QEMU before IGVM on Linux 6.11 and later, if anyone runs that",
    differs: "MXCSR 0x1f80 and FCW 0x37f in the VMSA; svsm-2024 has 0",
    evidence: ["Linux arch/x86/kvm/svm/sev.c: sev_es_sync_vmsa copies FPU state of SNP guests"],
    confirmed: "source",
    vmsa: { ...SVSM_SNP.vmsa, mxcsr: 0x1f80, fcw: 0x037f },
  },
];

const SEV_ES = {
  platform: "sev-es",
  vmm: "qemu",
  guestFeatures: 0n,
  kernelHashes: true,
} as const satisfies Partial<SevEsProfile>;

const SEV_ES_PROFILES: readonly SevEsProfile[] = [
  {
    ...SEV_ES,
    name: "es-legacy",
    aliases: ["seves-legacy"],
    title: "SEV-ES with QEMU's default VM type",
    dates:
      "QEMU 6.0 (2021) to today: legacy-vm-type=auto takes the legacy type unless an option needs the new one",
    differs: "MXCSR and FCW are 0 in the VMSA; es-init2 has 0x1f80 and 0x37f",
    evidence: [
      "libvirt virt-qemu-sev-validate 11.3.0 builds this VMSA",
      "Linux arch/x86/kvm/svm/sev.c: FPU state is copied only when the VM type is not KVM_X86_DEFAULT_VM",
    ],
    confirmed: "peers",
    takesGuestFeatures: false,
    vmsa: QEMU_VMSA_WITHOUT_FPU,
  },
  {
    ...SEV_ES,
    name: "es-init2",
    aliases: ["seves-init2"],
    title: "SEV-ES with KVM_SEV_INIT2",
    dates: "QEMU 9.1 and later with legacy-vm-type=off on Linux 6.10 and later",
    differs:
      "MXCSR 0x1f80 and FCW 0x37f in the VMSA; es-legacy has 0. What sev-snp-measure and the sev crate compute",
    evidence: ["sev-snp-measure 0.0.13 and the sev crate 8.0.0 agree", "Linux 6.10: KVM_SEV_INIT2"],
    confirmed: "peers",
    takesGuestFeatures: true,
    vmsa: QEMU_VMSA,
  },
];

const SEV_PROFILE: SevProfile = {
  name: "sev",
  aliases: [],
  platform: "sev",
  vmm: "qemu",
  title: "SEV without encrypted register state",
  dates: "QEMU 2.12 (2018) to today; kernel hashes since QEMU 6.2",
  differs: "no VMSA is measured; sev-es adds one a vCPU",
  evidence: ["sev-snp-measure 0.0.13, the sev crate 8.0.0 and libvirt virt-qemu-sev-validate agree"],
  confirmed: "peers",
  guestFeatures: 0n,
  kernelHashes: true,
};

/** Every profile, in the order in which they are listed: the first of a platform and VMM is its default. */
export const PROFILES: readonly Profile[] = [
  ...SNP_PROFILES,
  ...SVSM_PROFILES,
  ...SEV_ES_PROFILES,
  SEV_PROFILE,
];

/** VMMs that have a profile. */
export const VMMS: readonly Vmm[] = [...new Set(PROFILES.map(({ vmm }) => vmm))];

/** The profile with this name or alias; throws {@link MeasureError}. */
export function profileNamed(name: string): Profile {
  const found = PROFILES.find((profile) => profile.name === name || profile.aliases.includes(name));
  if (found !== undefined) return found;
  const near = [name, name.slice(0, 4)]
    .filter((start) => start.length > 1)
    .flatMap((start) => PROFILES.filter((profile) => profile.name.startsWith(start.toLowerCase())))
    .at(0)?.name;
  throw new MeasureError("BP-SNP-008", "unknown profile", {
    expected: PROFILES.map((profile) => profile.name).join(", "),
    found: name,
    ...(near !== undefined && { hint: `did you mean ${near}?` }),
  });
}

/** The profile of a platform on a VMM when none is named; throws {@link MeasureError} when the VMM has none. */
export function defaultProfile(platform: "snp", vmm: string): SnpProfile;
export function defaultProfile(platform: "sev-es", vmm: string): SevEsProfile;
export function defaultProfile(platform: "sev", vmm: string): SevProfile;
export function defaultProfile(platform: AmdPlatform, vmm: string): Profile;
export function defaultProfile(platform: AmdPlatform, vmm: string): Profile {
  const ofPlatform = PROFILES.filter((profile) => profile.platform === platform);
  const found = ofPlatform.find((profile) => profile.vmm === vmm);
  if (found !== undefined) return found;
  throw new MeasureError("BP-SNP-007", `no profile of platform ${platform} for this VMM`, {
    expected: [...new Set(ofPlatform.map((profile) => profile.vmm))].join(", "),
    found: vmm,
  });
}

/** The profile that is named, or the default of the VMM, `qemu` when none is given; throws {@link MeasureError}. */
export function chooseProfile<P extends AmdPlatform>(
  platform: P,
  { profile, vmm = "qemu" }: { readonly profile?: string | undefined; readonly vmm?: string | undefined },
): Extract<Profile, { platform: P }> {
  return ofPlatform(profile === undefined ? defaultProfile(platform, vmm) : profileNamed(profile), platform);
}

/** The SNP profile with this name or alias; throws {@link MeasureError} also for a profile of another platform. */
export function snpProfile(name: string): SnpProfile {
  return ofPlatform(profileNamed(name), "snp");
}

/** The SEV-ES profile with this name or alias; throws {@link MeasureError} also for a profile of another platform. */
export function sevEsProfile(name: string): SevEsProfile {
  return ofPlatform(profileNamed(name), "sev-es");
}

function ofPlatform<P extends AmdPlatform>(profile: Profile, platform: P): Extract<Profile, { platform: P }> {
  if (profile.platform === platform) return profile as Extract<Profile, { platform: P }>;
  throw new MeasureError("BP-SNP-008", `profile ${profile.name} is not of platform ${platform}`, {
    expected: PROFILES.filter((other) => other.platform === platform)
      .map(({ name }) => name)
      .join(", "),
    found: profile.name,
  });
}
