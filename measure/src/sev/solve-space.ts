/**
 * Everything that a search for the launch digest of a SEV or SEV-ES guest can try. A plain SEV guest is a SEV-ES guest
 * without VMSAs, so that both are found from either.
 * @module
 */
import { equalBytes, formatHex, type HashState, ParseError, sha256, startHash } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { encodeKernelHashes } from "../snp/kernel-hashes.ts";
import type { SevEsProfile } from "../snp/profile.ts";
import { chooseProfile } from "../snp/profiles.ts";
import { imageAxis } from "../snp/solve-firmware.ts";
import { GuestAxes, type GuestClaim, type GuestGuess, profileStanding } from "../snp/solve-guest.ts";
import { sevLadder } from "../snp/solve-ladder.ts";
import { profileAxis } from "../snp/solve-profiles.ts";
import { BSP_RESET_ADDRESS, buildVmsa } from "../snp/vmsa.ts";
import { type Axis, type Choice, mapAxis } from "../solve/axis.ts";
import type { Climb, Found, Ladder, Refusal, Space } from "../solve/space.ts";
import { openSevImage, sevHashTableArea, type SevImage, sevResetAddress } from "./sev-firmware.ts";

/** What the user believes about a SEV or SEV-ES guest. */
export interface SevClaim extends GuestClaim {
  readonly platform: "sev" | "sev-es";
  /** Whether the user does not know which of the two it is. */
  readonly platformOpen?: boolean | undefined;
  readonly firmware: Uint8Array;
  /** The variable store that lies beside a code-only image. */
  readonly variables?: Uint8Array | undefined;
}

/** An image and the running hash behind it. */
export interface SevLoaded {
  readonly name: string;
  /** Throws ParseError for an image that QEMU cannot map. */
  readonly open: () => { readonly image: SevImage; readonly state: HashState };
}

/** The inputs of one choice. */
export type SevGuess = GuestGuess<SevLoaded, SevEsProfile>;

/** The space of one claim. */
export class SevSpace implements Space {
  readonly axes: readonly Axis[];
  readonly ladder: Ladder;
  readonly #guest;

  /** Throws MeasureError for a profile or VMM that does not exist. */
  constructor(claim: SevClaim) {
    this.#guest = new GuestAxes(claim, {
      loaded: mapAxis(imageAxis(claim.firmware, claim.variables), ({ name, image }) => loaded(name, image)),
      profile: sevProfileAxis(claim),
      always: 0n,
    });
    this.axes = this.#guest.all;
    this.ladder = sevLadder(claim.platform === "sev" ? 0 : claim.vcpus, claim.platformOpen === true);
  }

  climb(choice: Choice): Climb | Refusal {
    try {
      return new SevClimb(this.guess(choice));
    } catch (error) {
      if (error instanceof ParseError || error instanceof MeasureError) return error;
      throw error;
    }
  }

  ignored(choice: Choice, rung: number): ReadonlySet<string> {
    const ignored = this.#guest.ignored(choice, rung);
    return rung === 0 ? new Set([...ignored, "profile"]) : ignored;
  }

  /** The inputs of a choice. */
  guess(choice: Choice): SevGuess {
    return this.#guest.guess(choice);
  }
}

function sevProfileAxis(claim: SevClaim): Axis<SevEsProfile> {
  // A plain SEV guest's only profile says nothing about VMSAs: those of a SEV-ES guest are open.
  if (claim.platform === "sev") return profileAxis(chooseProfile("sev-es", {}), "open");
  return profileAxis(chooseProfile("sev-es", claim), profileStanding(claim));
}

function loaded(name: string, bytes: Uint8Array): SevLoaded {
  let opened: { readonly image: SevImage; readonly state: HashState } | undefined;
  return {
    name,
    open: () => {
      if (opened === undefined) {
        const image = openSevImage(bytes);
        const state = startHash("sha256");
        state.update(bytes);
        opened = { image, state };
      }
      return opened;
    },
  };
}

/** Launch digests by number of vCPUs: one page of VMSA hashed for each. */
class SevClimb implements Climb {
  readonly key: string;
  readonly #state: HashState;
  readonly #bsp: Uint8Array;
  readonly #ap: Uint8Array;

  constructor({ loaded: { open }, profile, boot, cpu, guestFeatures }: SevGuess) {
    if (guestFeatures !== 0n && !profile.takesGuestFeatures)
      throw new MeasureError("BP-SEV-001", `guests of profile ${profile.name} have no guest features`);
    const { image, state } = open();
    this.#state = state.copy();
    if (boot !== undefined) {
      sevHashTableArea(image);
      this.#state.update(encodeKernelHashes(boot));
    }
    const { rdx } = profile.vmsa;
    const cpuSignature = rdx === "cpu signature" ? cpu.signature : rdx;
    const page = (role: "bsp" | "ap", resetAddress: number): Uint8Array =>
      buildVmsa(profile.vmsa, { role, resetAddress, cpuSignature, guestFeatures });
    this.#bsp = page("bsp", BSP_RESET_ADDRESS);
    this.#ap = page("ap", sevResetAddress(image));
    this.key = [this.#state.copy().digest(), sha256(this.#bsp), sha256(this.#ap)].map(formatHex).join("/");
  }

  digest(rung: number): Uint8Array {
    const state = this.#state.copy();
    for (let vcpu = 0; vcpu < rung; vcpu++) state.update(vcpu === 0 ? this.#bsp : this.#ap);
    return state.digest();
  }

  find(needles: readonly Uint8Array[], rungs: number): Found | undefined {
    const state = this.#state.copy();
    for (let rung = 0; ; rung++) {
      const digest = state.copy().digest();
      const needle = needles.findIndex((wanted) => equalBytes(wanted, digest));
      if (needle >= 0) return { rung, needle };
      if (rung === rungs) return undefined;
      state.update(rung === 0 ? this.#bsp : this.#ap);
    }
  }
}
