/**
 * Reads an EIF in both ways that readers do, and gives a layout only when there is nothing to choose between.
 * Reads headers and small sections; never a whole kernel or ramdisk.
 * @module
 */
import { formatHex } from "@bootproof/bytes";

import { compareReadings } from "./agreement.ts";
import { type Contents, readContents } from "./contents.ts";
import type { EifFinding } from "./finding.ts";
import { parseEifHeader, startsEif } from "./header.ts";
import { judgeHeader } from "./judge-header.ts";
import { judgeEach } from "./judge-section.ts";
import {
  EIF_FLAG_AARCH64,
  EIF_HEADER_SIZE,
  type EifArchitecture,
  type EifLayout,
  type EifSection,
  type EifSource,
  type UntrustedEifHeader,
  type UntrustedEifSection,
} from "./layout.ts";
import { judgeSections } from "./rules.ts";
import { readTable } from "./table.ts";
import { readWalk } from "./walk.ts";

/** Everything that was read, and the one layout if there is one. */
export interface EifReading extends Contents {
  /** Undefined for a file that is no EIF. */
  readonly header: UntrustedEifHeader | undefined;
  /** What a loader finds. */
  readonly table: readonly UntrustedEifSection[];
  /** What a reader finds that walks from section to section. */
  readonly walk: readonly UntrustedEifSection[];
  /** Given when every finding is a notice: all readers see this one file. */
  readonly layout: EifLayout | undefined;
  /** In the order of their places in the file; what has no place comes last. */
  readonly findings: readonly EifFinding[];
}

/** Reads an EIF. Never throws for what is in the file; what is wrong with it are findings. */
export async function readEif(source: EifSource): Promise<EifReading> {
  const start = await source.read(0, Math.min(source.size, EIF_HEADER_SIZE));
  const notEif = judgeStart(start);
  if (notEif !== undefined)
    return { header: undefined, table: [], walk: [], layout: undefined, findings: [notEif] };
  const header = parseEifHeader(start);
  const table = await readTable(source, header);
  const walk = await readWalk(source);
  const both = table.complete && walk.complete;
  const sections = table.complete ? table.sections : walk.sections;
  const structure = [
    ...judgeHeader(header),
    ...table.findings,
    ...walk.findings,
    ...(both ? compareReadings(table.sections, walk.sections, source.size) : []),
    ...judgeEach(sections),
    ...(table.complete ? judgeSections(sections, header.version) : []),
  ];
  const contents = await readContents(source, sections, architectureOf(header));
  const findings = [...structure, ...contents.findings].toSorted(
    (a, b) => (a.offset ?? Infinity) - (b.offset ?? Infinity) || 0,
  );
  const layout = findings.every(({ severity }) => severity === "notice")
    ? layoutOf(header, sections, source.size)
    : undefined;
  return { header, table: table.sections, walk: walk.sections, ...contents.contents, layout, findings };
}

function judgeStart(start: Uint8Array): EifFinding | undefined {
  if (!startsEif(start))
    return {
      code: "BP-EIF-002",
      severity: "malformed",
      message: "this is no EIF",
      offset: 0,
      expected: "2e656966 (.eif)",
      found: formatHex(start.subarray(0, 4)),
    };
  if (start.length === EIF_HEADER_SIZE) return undefined;
  return {
    code: "BP-EIF-001",
    severity: "malformed",
    message: "the file is shorter than an EIF's header",
    offset: start.length,
    expected: `${EIF_HEADER_SIZE} bytes`,
    found: `${start.length}`,
  };
}

const architectureOf = ({ flags }: UntrustedEifHeader): EifArchitecture =>
  flags & EIF_FLAG_AARCH64 ? "aarch64" : "x86_64";

function layoutOf(
  header: UntrustedEifHeader,
  sections: readonly UntrustedEifSection[],
  size: number,
): EifLayout {
  const { version, flags, defaultMemory, defaultCpus, crc32 } = header;
  return {
    version,
    flags,
    architecture: architectureOf(header),
    defaultMemory,
    defaultCpus,
    sections: sections.filter((section): section is EifSection => section.type !== undefined),
    crc32,
    size,
  };
}
