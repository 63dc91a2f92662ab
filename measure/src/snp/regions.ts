/**
 * Guests whose VMM measures regions of memory that it laid out itself, as libkrun does: the regions in the order given,
 * the VMM's own fixed pages, VMSAs. Read from source (libkrun src/vmm/src/linux/tee/amdsnp/mod.rs), not yet compared with
 * a report.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import { MeasureError } from "../measure-error.ts";
import { makeMeasurement, type Measurement } from "../measurement.ts";
import { regionCoverage } from "./coverage-svsm.ts";
import { SnpLaunch } from "./launch.ts";
import { shapeWarnings } from "./measure-snp.ts";
import { extendLaunchDigest, LAUNCH_DIGEST, PAGE_SIZE, type PageEvent, START } from "./page-info.ts";
import { extendRuns, normalRun, type PageRun } from "./page-run.ts";
import type { FixedPages, SnpProfile } from "./profile.ts";
import { defaultProfile } from "./profiles.ts";
import { formatShape, resolveShape, type ShapeJson, type SnpShape } from "./shape.ts";
import { BSP_RESET_ADDRESS } from "./vmsa.ts";

/** Guest-physical addresses of any AMD processor end here. */
const MAX_ADDRESS = 1n << 52n;

/** Bytes at a guest address. */
export interface MeasuredRegion {
  readonly guestAddress: bigint;
  readonly bytes: Uint8Array;
}

/** Prepares a launch of regions; throws {@link ParseError} for regions that no VMM can measure. */
export function prepareRegions(
  regions: readonly MeasuredRegion[],
  profile: SnpProfile = defaultProfile("snp", "libkrun"),
): SnpLaunch {
  if (profile.image !== "regions")
    throw new MeasureError("BP-SNP-010", `guests of profile ${profile.name} boot no regions`, {
      hint: "give the firmware image",
    });
  if (regions.length === 0) throw new ParseError("MISSING", "measured regions", { expected: "at least one" });
  regions.forEach(checkRegion);
  const fixed = profile.fixedPages.map((pages) => fixedRun(pages));
  const runs = [
    ...regions.map(({ guestAddress, bytes }, index) =>
      normalRun(bytes, guestAddress, `region ${index}`, "region"),
    ),
    ...fixed,
  ];
  checkOverlap(runs);
  const digest = extendRuns(START[LAUNCH_DIGEST], runs);
  return new SnpLaunch({ profile, digest, resetAddress: BSP_RESET_ADDRESS }, runs, []);
}

/** A shape with the regions' places: `0x100000+0x2000`. */
export interface RegionShapeJson extends ShapeJson {
  readonly regions: readonly string[];
}

/** Predicts the launch digest of a guest made of regions. Throws {@link ParseError} or {@link MeasureError}. */
export function measureRegions(
  regions: readonly MeasuredRegion[],
  shape: SnpShape,
): Measurement<RegionShapeJson, PageEvent> {
  const resolved = resolveShape(
    shape.profile === undefined && shape.vmm === undefined ? { ...shape, vmm: "libkrun" } : shape,
  );
  const launch = prepareRegions(regions, resolved.profile);
  return makeMeasurement({
    platform: "snp",
    shape: { ...formatShape(resolved), regions: regions.map(placeOf) },
    registers: { [LAUNCH_DIGEST]: launch.digest(resolved) },
    start: launch.start,
    extend: extendLaunchDigest,
    events: () => launch.events(resolved),
    coverage: regionCoverage(resolved),
    warnings: [
      ...shapeWarnings(shape, resolved),
      {
        code: "BP-SNP-117",
        message: `profile ${resolved.profile.name} was read from source: no report from hardware confirms it yet`,
      },
    ],
  });
}

const placeOf = ({ guestAddress, bytes }: MeasuredRegion): string =>
  `0x${guestAddress.toString(16)}+0x${bytes.length.toString(16)}`;

function checkRegion({ guestAddress, bytes }: MeasuredRegion, index: number): void {
  const at = `region ${index}`;
  if (guestAddress < 0n || guestAddress % BigInt(PAGE_SIZE) !== 0n)
    throw new ParseError("OUT_OF_RANGE", `guest address of ${at}`, {
      expected: `a multiple of 0x${PAGE_SIZE.toString(16)}`,
      found: `0x${guestAddress.toString(16)}`,
    });
  if (bytes.length === 0 || bytes.length % PAGE_SIZE !== 0)
    throw new ParseError("OUT_OF_RANGE", `size of ${at}`, {
      expected: `whole pages of ${PAGE_SIZE} bytes, as KVM demands`,
      found: `${bytes.length}`,
    });
  if (guestAddress + BigInt(bytes.length) > MAX_ADDRESS)
    throw new ParseError("OUT_OF_RANGE", `end of ${at}`, {
      expected: "at most 52 bits",
      found: `0x${(guestAddress + BigInt(bytes.length)).toString(16)}`,
    });
}

const fixedRun = ({ label, type, guestAddress, size }: FixedPages): PageRun => ({
  type,
  guestAddress: BigInt(guestAddress),
  pages: size / PAGE_SIZE,
  contents: undefined,
  label,
  source: { artifact: "vmm", section: label },
  advances: false,
});

/** KVM refuses a page that is private already. */
function checkOverlap(runs: readonly PageRun[]): void {
  const ascending = [...runs].sort((a, b) => (a.guestAddress < b.guestAddress ? -1 : 1));
  ascending.forEach((run, index) => {
    const next = ascending[index + 1];
    const end = run.guestAddress + BigInt(run.pages * PAGE_SIZE);
    if (next !== undefined && end > next.guestAddress)
      throw new ParseError("OUT_OF_RANGE", `end of ${run.label}`, {
        expected: `at most 0x${next.guestAddress.toString(16)}, the start of ${next.label}`,
        found: `0x${end.toString(16)}`,
      });
  });
}
