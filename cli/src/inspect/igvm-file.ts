/**
 * Looks at IGVM files: their headers as a table with what each tool makes of a row, the launch digests that follow,
 * and what the file's own ID block expects.
 * @module
 */
import { type IgvmLint, lintIgvm } from "@bootproof/measure/igvm";
import type { AmdPlatform } from "@bootproof/measure/snp";
import { describeIgvm, type IgvmDescription, parseIgvm } from "@bootproof/ovmf/igvm";

import { EXIT } from "../frame/exit-code.ts";
import { formatFields, formatTable } from "../report/table.ts";
import { type Inspector, startsWith } from "./inspection.ts";
import { codesIn, formatFindings } from "./lint-text.ts";

/** Platforms with a launch digest of their own, the first that a file serves is the one that is shown. */
const PLATFORMS: readonly AmdPlatform[] = ["snp", "sev-es", "sev"];
/** A file of many gigabytes of memory in runs has a dozen rows; a hostile one has as many as it likes. */
const MAX_ROWS = 400;

/** An IGVM file, known by its magic. */
export const inspectIgvm: Inspector = (bytes) => {
  if (!startsWith(bytes, "IGVM")) return undefined;
  const file = parseIgvm(bytes);
  const platform = PLATFORMS.find((wanted) => file.platforms.some((served) => served.platform === wanted));
  const { rows, ...lint } = lintIgvm(bytes, platform);
  const described = describeIgvm(file, bytes);
  const text = [
    formatHead(described),
    formatRows(rows),
    formatFindings(lint.findings),
    formatReadings(lint),
    formatFields(lint.verdicts.map((verdict) => [verdict.name, formatVerdict(verdict)])),
  ];
  return {
    kind: "igvm",
    text: text.filter((part) => part !== "").join("\n"),
    document: { ...described, rows, lint },
    judged: lint.verdicts.some(({ consumer, answer }) => consumer === "qemu" && answer === "no")
      ? EXIT.no
      : EXIT.yes,
  };
};

function formatHead({ size, sha256, sha384, version, ...head }: IgvmDescription): string {
  return formatFields([
    ["kind", `IGVM file, version ${String(version)}, ${head.architecture}`],
    ["size", String(size)],
    ["sha256", sha256],
    ["sha384", sha384],
    ["checksum", head.checksum],
    ...head.platforms.map(({ platform, mask, highestVtl, sharedGpaBoundary }): [string, string] => [
      "platform",
      `${platform}, mask ${mask}, highest VTL ${String(highestVtl)}, shared GPA boundary ${sharedGpaBoundary}`,
    ]),
  ]);
}

function formatRows(rows: IgvmLint["rows"]): string {
  const cells = rows
    .slice(0, MAX_ROWS)
    .map(({ index, headers, type, platforms, guestAddress = "", size, detail, ...columns }) => [
      headers === 1 ? String(index) : `${String(index)}..${String(index + headers - 1)}`,
      type,
      platforms === undefined ? "all" : platforms.join(" "),
      guestAddress,
      size === undefined ? "" : `0x${size.toString(16)}`,
      columns.qemu,
      columns.igvmmeasure,
      columns.nativeZero,
      columns.msIgvm,
      detail,
    ]);
  const heading = ["#", "header", "platforms", "guest address", "size"];
  const tools = ["QEMU / KVM", "igvmmeasure", "native-zero", "ms-igvm", "detail"];
  const more = rows.length > MAX_ROWS ? `... ${String(rows.length - MAX_ROWS)} more rows\n` : "";
  return formatTable(cells, [...heading, ...tools]) + more;
}

/** The launch digest of each reading, and where it parts from the first. */
function formatReadings({ readings, platform, vcpus }: Omit<IgvmLint, "rows">): string {
  if (readings.length === 0) return "";
  const rows = readings.map(({ reading, launchDigest, refusal = "" }) => [
    reading,
    launchDigest ?? `none: ${refusal}`,
  ]);
  const differences = readings.flatMap(({ reading, differences: parts }) =>
    parts.map(({ message }) => `${reading} differs: ${message}\n`),
  );
  const guest = `${platform}, ${String(vcpus)} vCPU${vcpus === 1 ? "" : "s"}`;
  return formatTable(rows, ["reading", `launch digest (${guest})`]) + differences.join("");
}

const SPOKEN = { yes: "launches", no: "does not launch", "could not decide": "could not decide" } as const;

function formatVerdict({ consumer, answer, reasons, launchDigest }: IgvmLint["verdicts"][number]): string {
  const spoken = consumer === "qemu" ? SPOKEN[answer] : answer === "no" ? "refuses it" : "computes";
  return `${spoken}: ${launchDigest ?? codesIn(reasons)}`;
}
