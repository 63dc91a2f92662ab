/**
 * Metadata sections measured in another way than the profile's: no VMM that we know does it, the next one may.
 * @module
 */
import type { Axis } from "../solve/axis.ts";
import type { SnpProfile } from "./profile.ts";

/** What is turned round from how the profile has it. */
export interface SectionsGuess {
  readonly memoryPages: boolean;
  readonly cpuidLast: boolean;
}

/** Both questions about sections on which VMMs differ. */
export function sectionsAxis(): Axis<SectionsGuess> {
  const guess = (memoryPages: boolean, cpuidLast: boolean, label: string, surprise: number) => ({
    value: { memoryPages, cpuidLast },
    label,
    surprise,
    rare: true,
    cause: "the VMM measures metadata sections in a way that belongs to no profile",
  });
  const pages = "memory sections as the other page type (ZERO or UNMEASURED)";
  const order = "CPUID sections in the other place (last, or in the firmware's order)";
  return {
    name: "sections",
    standing: "assumed",
    candidates: [
      { value: { memoryPages: false, cpuidLast: false }, label: "sections as in the profile", surprise: 0 },
      guess(true, false, pages, 6),
      guess(false, true, order, 6),
      guess(true, true, `${pages}; ${order}`, 8),
    ],
  };
}

/** The profile with what was guessed; its VMSAs stay. */
export function applySections(profile: SnpProfile, guess: SectionsGuess): SnpProfile {
  if (!guess.memoryPages && !guess.cpuidLast) return profile;
  const turned = profile.memoryPages === "ZERO" ? "UNMEASURED" : "ZERO";
  return {
    ...profile,
    memoryPages: guess.memoryPages ? turned : profile.memoryPages,
    cpuidLast: profile.cpuidLast !== guess.cpuidLast,
  };
}
