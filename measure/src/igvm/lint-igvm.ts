/**
 * The IGVM linter: what each consumer does with a file, and why. Findings of what cannot launch come from the list
 * that the engine refuses by.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import { type IgvmPlatform, igvmRows, type IgvmRow, parseIgvm } from "@bootproof/ovmf/igvm";
import type { AmdPlatform } from "../snp/profile.ts";
import type { LaunchAnswer } from "../snp/lint-rules.ts";
import { compareReadings, type ReadingAnswer } from "./compare-readings.ts";
import { igvmFaults } from "./igvm-faults.ts";
import { findGuest, type IgvmGuest, idBlocks } from "./igvm-guest.ts";
import { contextsByProcessor, type Processors } from "./igvm-processors.ts";
import { oddities } from "./igvm-oddities.ts";
import { treatments } from "./igvm-treatments.ts";
import { type IgvmConsumer, type IgvmFinding, igvmFinding } from "./lint-rules.ts";
import { igvmReading, type IgvmReadingName } from "./readings.ts";

/** What one consumer does with a file. */
export interface IgvmVerdict {
  readonly consumer: IgvmConsumer;
  /** Its full name. */
  readonly name: string;
  readonly answer: LaunchAnswer;
  /** What the answer rests on. */
  readonly basis: string;
  /** Why it is not yes: each finding's message and code. */
  readonly reasons: readonly string[];
  readonly reading: IgvmReadingName;
  /** What it measures or computes; undefined when it refuses, or when that depends on the guest's CPU. */
  readonly launchDigest: string | undefined;
}

/** A row of the file's table with what the readings make of it, in words such as `2 pages NORMAL`. */
export interface IgvmLintRow extends IgvmRow {
  readonly qemu: string;
  readonly igvmmeasure: string;
  readonly nativeZero: string;
  readonly msIgvm: string;
}

/** What there is to say about an IGVM file on one platform. */
export interface IgvmLint {
  readonly platform: AmdPlatform;
  /** Platforms that the file serves. */
  readonly platforms: readonly IgvmPlatform["platform"][];
  /** Fewest vCPUs that the file's VP contexts fit; the digests below are for so many. */
  readonly vcpus: number;
  /** The gravest first, each kind in file order. */
  readonly findings: readonly IgvmFinding[];
  readonly verdicts: readonly IgvmVerdict[];
  readonly readings: readonly ReadingAnswer[];
  readonly rows: readonly IgvmLintRow[];
}

const ORDER = { "cannot launch": 0, differs: 1, note: 2 } as const;

const CONSUMERS: readonly (Pick<IgvmVerdict, "consumer" | "name" | "basis"> & {
  reading: IgvmReadingName;
})[] = [
  {
    consumer: "qemu",
    name: "QEMU and KVM",
    basis: "sources of upstream QEMU 11 and of KVM",
    reading: "qemu-upstream",
  },
  {
    consumer: "igvmmeasure",
    name: "igvmmeasure --check-kvm",
    basis: "coconut-svsm's source",
    reading: "igvmmeasure",
  },
  {
    consumer: "google",
    name: "Google's tool (igvmmeasure --native-zero)",
    basis: "coconut-svsm's source; Google's VMM is not public",
    reading: "igvmmeasure-native-zero",
  },
  {
    consumer: "openvmm",
    name: "OpenVMM's library (ms-igvm)",
    basis: "source of the igvm crate",
    reading: "ms-igvm",
  },
];

/** Says what is wrong or odd about a file, and what each consumer does with it. Throws ParseError on no IGVM file. */
export function lintIgvm(bytes: Uint8Array, platform: AmdPlatform = "snp"): IgvmLint {
  const file = parseIgvm(bytes);
  const platforms = file.platforms.map((served) => served.platform);
  const guest = findGuest(file, platform);
  if (guest === undefined) {
    const missing = igvmFinding(
      "BP-LINT-101",
      `the file serves ${platforms.join(", ")}, and not ${platform}`,
    );
    const rows = igvmRows(file).map((row) => ({
      ...row,
      qemu: "",
      igvmmeasure: "",
      nativeZero: "",
      msIgvm: "",
    }));
    return {
      platform,
      platforms,
      vcpus: 1,
      findings: [missing],
      verdicts: verdicts([missing], []),
      readings: [],
      rows,
    };
  }
  return { platform, platforms, ...lintGuest(guest) };
}

function lintGuest(
  guest: IgvmGuest,
): Pick<IgvmLint, "vcpus" | "findings" | "verdicts" | "readings" | "rows"> {
  const vcpus = Math.max(...contextsByProcessor(guest).keys(), 0) + 1;
  // The signature matters only where no VP context describes a processor; then there is no digest to print.
  const processors: Processors = { vcpus, cpuSignature: undefined };
  const readings = compareReadings(guest, processors, igvmReading("qemu"));
  const findings = [...igvmFaults(guest), ...oddities(guest), ...idBlockFindings(guest, readings)].sort(
    (a, b) => ORDER[a.severity] - ORDER[b.severity],
  );
  return {
    vcpus,
    findings,
    verdicts: verdicts(findings, readings),
    readings,
    rows: treatments(guest, processors),
  };
}

function idBlockFindings(guest: IgvmGuest, readings: readonly ReadingAnswer[]): IgvmFinding[] {
  const [block] = idBlocks(guest);
  if (block === undefined) return [];
  const expected = formatHex(block.launchDigest);
  const matching = readings.filter(({ launchDigest }) => launchDigest === expected);
  if (matching.some(({ reading }) => reading === "qemu-upstream"))
    return [
      igvmFinding("BP-LINT-135", "the ID block expects the launch digest that QEMU and KVM measure", block),
    ];
  const whose = matching.map(({ reading }) => reading).join(", ");
  return [
    igvmFinding(
      "BP-LINT-132",
      `the ID block expects launch digest ${expected}, ${whose === "" ? "which no reading gives" : `which is what ${whose} computes`}`,
      block,
    ),
  ];
}

function verdicts(findings: readonly IgvmFinding[], readings: readonly ReadingAnswer[]): IgvmVerdict[] {
  return CONSUMERS.map(({ consumer, name, basis, reading }) => {
    const answer = readings.find((candidate) => candidate.reading === reading);
    const refused = findings.filter(({ refusedBy }) => refusedBy.includes(consumer));
    const reasons = refused.map(({ message, code }) => `${message} (${code})`);
    const verdict = { consumer, name, basis, reading };
    if (reasons.length > 0) return { ...verdict, answer: "no", reasons, launchDigest: undefined };
    // Without a VP context for each processor the digest depends on a CPU that the file does not name.
    if (answer?.launchDigest !== undefined || answer?.refusalCode === "BP-IGVM-003")
      return { ...verdict, answer: "yes", reasons, launchDigest: answer.launchDigest };
    const why = answer?.refusal ?? `${reading} has no facts about the platform`;
    return { ...verdict, answer: "could not decide", reasons: [why], launchDigest: undefined };
  });
}
