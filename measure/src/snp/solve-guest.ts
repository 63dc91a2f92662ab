/**
 * The inputs that every AMD platform measures, as axes: what was loaded, what it boots directly, and the shape.
 * @module
 */
import { type Axis, candidateAt, type Choice, type Standing } from "../solve/axis.ts";
import type { DirectBootDigests } from "./kernel-hashes.ts";
import type { SevEsProfile, SnpProfile } from "./profile.ts";
import { type BootClaim, type BootFiles, bootFilesAxis, guessedBoot, hashesAxis } from "./solve-boot.ts";
import { cmdlineAxis, type CmdlineGuess } from "./solve-cmdline.ts";
import { cpuAxis, type CpuGuess } from "./solve-cpus.ts";
import { featuresAxis } from "./solve-features.ts";
import { checkVcpus } from "./solve-ladder.ts";

/** What the user believes about a guest's shape, as far as it is known, and what it boots. */
export interface GuestClaim {
  readonly boot?: BootClaim | undefined;
  /** A profile's name; absent, the VMM's default is assumed. */
  readonly profile?: string | undefined;
  /** Whether the user does not know the profile: then any is as good as the one that is tried first. */
  readonly profileOpen?: boolean | undefined;
  readonly vmm?: string | undefined;
  readonly vcpus?: number | undefined;
  readonly cpu?: CpuGuess | undefined;
  readonly guestFeatures?: bigint | undefined;
  /** The signature of the machine's own processor, where the report names it. */
  readonly reportedCpu?: number | undefined;
}

/** How sure the user is of the profile. */
export function profileStanding({ profile, profileOpen }: GuestClaim): Standing {
  if (profileOpen === true) return "open";
  return profile === undefined ? "assumed" : "given";
}

/** The inputs of one choice. */
export interface GuestGuess<Loaded, Profile> {
  readonly loaded: Loaded;
  readonly profile: Profile;
  readonly cpu: CpuGuess;
  readonly guestFeatures: bigint;
  readonly kernelHashes: boolean;
  readonly bootFiles: BootFiles;
  readonly cmdline: CmdlineGuess;
  /** The digests in the kernel hashes table; undefined when none are measured. */
  readonly boot: DirectBootDigests | undefined;
}

/** Axes of a platform whose firmware takes another form. */
export interface PlatformAxes<Loaded, Profile> {
  readonly loaded: Axis<Loaded>;
  readonly profile: Axis<Profile>;
  /** SEV_FEATURES that every guest of the platform has. */
  readonly always: bigint;
}

/** The axes of one claim. What decides the digest before the VMSAs comes first, and so changes slowest. */
export class GuestAxes<Loaded, Profile extends SnpProfile | SevEsProfile> {
  readonly all: readonly Axis[];
  readonly #boot: BootClaim | undefined;
  readonly #loaded;
  readonly #hashes;
  readonly #files;
  readonly #cmdline;
  readonly #profile;
  readonly #features;
  readonly #cpu;

  /** Throws MeasureError for a number of vCPUs that no guest has. */
  constructor(claim: GuestClaim, { loaded, profile, always }: PlatformAxes<Loaded, Profile>) {
    checkVcpus(claim.vcpus);
    this.#boot = claim.boot;
    this.#loaded = loaded;
    this.#hashes = hashesAxis(claim.boot);
    this.#files = bootFilesAxis(claim.boot);
    this.#cmdline = cmdlineAxis(claim.boot);
    this.#profile = profile;
    this.#features = featuresAxis(claim.guestFeatures, profile.candidates[0].value.guestFeatures, always);
    this.#cpu = cpuAxis(claim.cpu, claim.reportedCpu);
    this.all = [
      this.#loaded,
      this.#hashes,
      this.#files,
      this.#cmdline,
      this.#profile,
      this.#features,
      this.#cpu,
    ];
  }

  /** The inputs of a choice. */
  guess([loaded, hashes, files, cmdline, profile, features, cpu]: Choice): GuestGuess<Loaded, Profile> {
    const inputs = {
      loaded: candidateAt(this.#loaded, loaded).value,
      profile: candidateAt(this.#profile, profile).value,
      cpu: candidateAt(this.#cpu, cpu).value,
      kernelHashes: candidateAt(this.#hashes, hashes).value,
      bootFiles: candidateAt(this.#files, files).value,
      cmdline: candidateAt(this.#cmdline, cmdline).value,
    };
    const { kernelHashes, bootFiles, cmdline: text } = inputs;
    const hashed = kernelHashes && this.#boot !== undefined;
    return {
      ...inputs,
      guestFeatures: candidateAt(this.#features, features).value ?? inputs.profile.guestFeatures,
      boot: hashed ? guessedBoot(this.#boot, bootFiles, text) : undefined,
    };
  }

  /** What tells choices apart whose digests differ before the VMSAs. */
  prefixKey([loaded, hashes, files, cmdline, profile]: Choice): string {
    const booted = candidateAt(this.#hashes, hashes).value ? `${files},${cmdline}` : "";
    return `${loaded}/${booted}/${profile}`;
  }

  /** Names of the axes on which a choice's digest with `vcpus` VMSAs does not depend. */
  ignored(choice: Choice, vcpus: number): ReadonlySet<string> {
    const { profile, kernelHashes } = this.guess(choice);
    const measured = vcpus > 0 && profile.vmsa.rdx === "cpu signature";
    return new Set([
      ...(measured ? [] : [this.#cpu.name]),
      ...(vcpus > 0 ? [] : [this.#features.name]),
      ...(kernelHashes ? [] : [this.#files.name, this.#cmdline.name]),
    ]);
  }
}
