/**
 * What the launch digest sees of guests that boot more, or other things, than one OVMF image.
 * @module
 */
import type { Coverage, CoveredInput } from "../measurement.ts";
import { snpCoverage } from "./coverage.ts";
import { LAUNCH_DIGEST } from "./page-info.ts";
import type { ResolvedShape } from "./shape.ts";

const covered = (input: string, through: string): CoveredInput => ({
  input,
  register: LAUNCH_DIGEST,
  through,
});

/** The coverage of an SVSM guest. */
export function svsmCoverage(shape: ResolvedShape): Coverage {
  return withImages(shape, [
    covered("firmware", "NORMAL pages, every byte"),
    covered("SVSM image", "NORMAL pages, every byte"),
    covered("size of the variable store", "guest addresses of the SVSM's pages"),
    covered("SEV metadata sections of the SVSM", "page types and guest addresses"),
  ]);
}

/** The coverage of a guest made of regions. */
export function regionCoverage(shape: ResolvedShape): Coverage {
  return withImages(shape, [covered("measured regions", "NORMAL pages, every byte and its guest address")]);
}

/** What a firmware alone would be covered by, with these images in its place. */
function withImages(shape: ResolvedShape, images: readonly CoveredInput[]): Coverage {
  const alone = snpCoverage(shape, { given: [], hashed: false });
  const replaced = ["firmware", "SEV metadata sections"];
  return {
    covered: [...images, ...alone.covered.filter(({ input }) => !replaced.includes(input))],
    notCovered: alone.notCovered,
  };
}
