/**
 * Everything that a search for an SNP launch digest can try: firmware, what it boots, and the shape.
 * @module
 */
import { equalBytes, formatHex, ParseError, type Sha384 } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { type Axis, candidateAt, type Choice } from "../solve/axis.ts";
import type { Climb, Found, Ladder, Refusal, Space } from "../solve/space.ts";
import type { SnpLaunch, VmsaDigests } from "./launch.ts";
import { extendPage } from "./page-info.ts";
import type { SnpProfile } from "./profile.ts";
import { chooseProfile } from "./profiles.ts";
import { GuestAxes, type GuestClaim, type GuestGuess, profileStanding } from "./solve-guest.ts";
import { snpLadder } from "./solve-ladder.ts";
import type { SnpLoader } from "./solve-loader.ts";
import { snpProfileAxis } from "./solve-profiles.ts";
import { applySections, sectionsAxis } from "./solve-sections.ts";

/** What the user believes about an SNP guest. */
export interface SnpClaim extends GuestClaim {
  readonly firmware: Axis<SnpLoader>;
  /** The profile that is assumed when neither a profile nor a VMM is given. */
  readonly usualProfile?: string | undefined;
}

/** The inputs of one choice. */
export type SnpGuess = GuestGuess<SnpLoader, SnpProfile>;

interface Vmsas extends VmsaDigests {
  readonly guestAddress: bigint;
  readonly key: string;
}

interface Prefix {
  readonly digest: Sha384;
  /** What tells it apart. */
  readonly key: string;
  readonly launch: SnpLaunch;
}

/** Digests before the VMSAs that are kept: each costs some fifty hashes. */
const MAX_PREFIXES = 4096;
/** VMSA digests that are kept: each costs two hashes of a page. */
const MAX_VMSAS = 16_384;
/** Hex digits of a digest that tell climbs apart: 128 bits. */
const KEY_DIGITS = 32;

/** The space of one claim. */
export class SnpSpace implements Space {
  readonly axes: readonly Axis[];
  readonly ladder: Ladder;
  readonly #guest;
  readonly #sections;
  readonly #prefixes = new Map<string, Prefix | Refusal>();
  readonly #vmsas = new Map<string, Vmsas>();

  /** Throws MeasureError for a profile or VMM that does not exist. */
  constructor(claim: SnpClaim) {
    const { profile: named, vmm, usualProfile } = claim;
    const profile = chooseProfile("snp", {
      profile: named ?? (vmm === undefined ? usualProfile : undefined),
      vmm,
    });
    this.#guest = new GuestAxes(claim, {
      loaded: claim.firmware,
      profile: snpProfileAxis(profile, profileStanding(claim), (other) => launches(claim.firmware, other)),
      always: 1n,
    });
    this.#sections = sectionsAxis();
    this.axes = [...this.#guest.all, this.#sections];
    this.ladder = snpLadder(claim.vcpus);
  }

  climb(choice: Choice): Climb | Refusal {
    const prefix = this.#prefix(choice);
    return prefix instanceof Error ? prefix : new VcpuClimb(prefix, this.#vmsasOf(prefix, choice));
  }

  ignored(choice: Choice, rung: number): ReadonlySet<string> {
    return this.#guest.ignored(choice, rung);
  }

  /** The inputs of a choice. */
  guess(choice: Choice): SnpGuess {
    const guess = this.#guest.guess(choice);
    const sections = candidateAt(this.#sections, choice[this.#guest.all.length]).value;
    return { ...guess, profile: applySections(guess.profile, sections) };
  }

  #prefix(choice: Choice): Prefix | Refusal {
    const key = `${this.#guest.prefixKey(choice)}/${choice[this.#guest.all.length]}`;
    const known = this.#prefixes.get(key);
    if (known !== undefined) return known;
    if (this.#prefixes.size >= MAX_PREFIXES) this.#prefixes.clear();
    const prefix = makePrefix(this.guess(choice));
    this.#prefixes.set(key, prefix);
    return prefix;
  }

  #vmsasOf({ launch }: Prefix, choice: Choice): Vmsas {
    const { cpu, guestFeatures } = this.guess(choice);
    const { profile, resetAddress } = launch.prefix;
    const { rdx } = profile.vmsa;
    const cpuSignature = rdx === "cpu signature" ? cpu.signature : rdx;
    const key = `${profile.name}/${resetAddress}/${cpuSignature}/${guestFeatures}`;
    const known = this.#vmsas.get(key);
    if (known !== undefined) return known;
    const { bsp, ap } = launch.vmsaDigests({
      profile,
      vcpus: 1,
      cpu: undefined,
      cpuSignature,
      guestFeatures,
    });
    const guestAddress = profile.vmsaGuestAddress;
    const vmsas = { bsp, ap, guestAddress, key: `${keyOf(bsp)}/${keyOf(ap)}/${guestAddress}` };
    if (this.#vmsas.size >= MAX_VMSAS) this.#vmsas.clear();
    this.#vmsas.set(key, vmsas);
    return vmsas;
  }
}

/** Whether guests of a profile boot such an image at all; what is wrong with the image itself is said elsewhere. */
function launches({ candidates: [{ value }] }: Axis<SnpLoader>, profile: SnpProfile): boolean {
  try {
    value.launch(profile, undefined);
    return true;
  } catch (error) {
    if (error instanceof MeasureError) return false;
    if (error instanceof ParseError) return true;
    throw error;
  }
}

function makePrefix({ loaded, profile, boot }: SnpGuess): Prefix | Refusal {
  try {
    const launch = loaded.launch(profile, boot);
    const { digest } = launch.prefix;
    return { digest, key: keyOf(digest), launch };
  } catch (error) {
    if (error instanceof ParseError || error instanceof MeasureError) return error;
    throw error;
  }
}

const keyOf = (digest: Sha384): string => formatHex(digest).slice(0, KEY_DIGITS);

/** Launch digests by number of vCPUs: one extend each. */
class VcpuClimb implements Climb {
  readonly key: string;
  readonly #prefix: Sha384;
  readonly #vmsas: Vmsas;

  constructor({ digest, key }: Prefix, vmsas: Vmsas) {
    this.key = `${key}/${vmsas.key}`;
    this.#prefix = digest;
    this.#vmsas = vmsas;
  }

  digest(rung: number): Sha384 {
    const { bsp, ap, guestAddress } = this.#vmsas;
    let digest = this.#prefix;
    for (let vcpu = 0; vcpu < rung; vcpu++)
      digest = extendPage(digest, "VMSA", vcpu === 0 ? bsp : ap, guestAddress);
    return digest;
  }

  find(needles: readonly Uint8Array[], rungs: number): Found | undefined {
    const { bsp, ap, guestAddress } = this.#vmsas;
    let digest = this.#prefix;
    for (let rung = 0; ; rung++) {
      const needle = needles.findIndex((wanted) => wanted[0] === digest[0] && equalBytes(wanted, digest));
      if (needle >= 0) return { rung, needle };
      if (rung === rungs) return undefined;
      digest = extendPage(digest, "VMSA", rung === 0 ? bsp : ap, guestAddress);
    }
  }
}
