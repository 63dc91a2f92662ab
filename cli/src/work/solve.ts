/**
 * Finds the guest behind a launch digest that a machine reported.
 * @module
 */
import { formatHex } from "@bootproof/bytes";
import type { AmdPlatform } from "@bootproof/measure/snp";

import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { badValue, type Given } from "../frame/given.ts";
import { GuestFiles } from "../measuring/guest-files.ts";
import { readGuest, type ReadGuest } from "../measuring/read-guest.ts";
import { type Observed, readObserved } from "../solving/observed-input.ts";
import { runSearch, type TimedSolution } from "../solving/run-search.ts";
import { searchedGuest, type SearchedGuest } from "../solving/searched-guest.ts";
import { type Answer, solutionDocument } from "../solving/solution-document.ts";
import { formatSolution } from "../solving/solution-text.ts";

/** Seconds that a search without a match takes: everything but the rarest combinations. */
const EFFORT = 20n;
const MAX_EFFORT = 86_400n;

/** Options that say whether a guest is one of SEV or of SEV-ES. */
const NAME_PLATFORM = ["mode", "profile", "fromQemu", "fromLibvirt", "fromKata"];

/** Exit 0 only when the inputs as given give the digest, 1 when others do, 2 when nothing that was tried does. */
const EXITS = { match: EXIT.yes, "other-shape": EXIT.no, none: EXIT.undecided } as const;

/** Searches for the guest that reported a digest. */
export async function solveVerb(context: Context, given: Given): Promise<ExitCode> {
  const observed = await readObserved(given.text("observed") ?? "");
  const effort = Number(given.unsigned("effort", MAX_EFFORT) ?? EFFORT);
  const { guest: request, notes } = await readRequest(given, observed);
  for (const note of [...observed.notes, ...notes]) context.note(note);
  const guest = await searchedGuest(request, new GuestFiles(), {
    reportedCpu: observed.reportedCpu,
    platformOpen: NAME_PLATFORM.every((name) => given.text(name) === undefined),
  });
  const predicted = predict(context, guest);
  const solution = await runSearch(context, guest.space, observed.digest, effort);
  const answer = await makeAnswer(context, guest, { observed, predicted, solution });
  await context.answer(formatSolution(answer), solutionDocument(answer));
  return EXITS[solution.verdict];
}

/** The variable store is no input of a measurement; here it is a guess of what the firmware was joined with. */
async function readRequest(given: Given, { digest }: Observed): Promise<ReadGuest> {
  const alone = given.text("svsm") === undefined;
  if (alone && given.text("varsSize") !== undefined)
    throw badValue(
      "--vars-size",
      "--vars-file: only the store's bytes can be joined with the firmware",
      "a size",
    );
  const read = await readOpen(
    alone ? given.without("varsFile", "varsSize") : given,
    platformOf(given, digest),
  );
  if ((read.guest.platform === "snp") !== (digest.length === 48))
    throw new Failure(
      "BP-SOLVE-002",
      EXIT.usage,
      `a digest of ${String(digest.length)} bytes is not one of ${read.guest.platform}`,
      { hint: "the length of the digest says which platform it is from" },
    );
  return alone ? { ...read, guest: { ...read.guest, varsFile: given.text("varsFile") } } : read;
}

/** What a machine's definition may lack: options that stand in for it, and what is then not given. */
const LACKS = [
  { stands: {}, open: {} },
  { stands: { vcpuSig: "0" }, open: { cpus: [] } },
  { stands: { vcpus: "1" }, open: { vcpus: [] } },
  { stands: { vcpuSig: "0", vcpus: "1" }, open: { cpus: [], vcpus: [] } },
] as const;
const CPU_OPTIONS = ["vcpuType", "vcpuSig", "vcpuFamily", "vcpuModel", "vcpuStepping"];

/** Reads a guest of which not everything is known: what is not is searched. */
async function readOpen(given: Given, platform: AmdPlatform): Promise<ReadGuest> {
  let failure: Failure | undefined;
  for (const { stands, open } of LACKS) {
    const clash = Object.keys(stands).some((name) =>
      (name === "vcpus" ? [name] : CPU_OPTIONS).some((option) => given.text(option) !== undefined),
    );
    if (clash) continue;
    try {
      const { guest, notes } = await readGuest(given.with(stands), platform);
      return { guest: { ...guest, axes: { ...guest.axes, ...open } }, notes };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "BP-MACHINE-006") throw error;
      failure ??= error;
    }
  }
  throw failure ?? new Error("the first way of reading has no clash");
}

/** A digest of 32 bytes is one of SEV-ES, unless the user names the profile of plain SEV. */
function platformOf(given: Given, digest: Uint8Array): AmdPlatform {
  if (digest.length === 48) return "snp";
  return given.text("profile") === "sev" ? "sev" : "sev-es";
}

/** What the inputs as given measure to, when they are complete and launch. */
function predict(context: Context, { space }: SearchedGuest): string | undefined {
  const asGiven = space.axes.map(() => 0);
  const climb = space.climb(asGiven);
  if (climb instanceof Error) {
    context.note(`as given, nothing launches: ${climb.message}; other inputs are searched`);
    return undefined;
  }
  const rung = space.ladder?.given ?? 1;
  const ignored = space.ignored(asGiven, rung);
  const open = [...space.axes, ...(space.ladder === undefined ? [] : [space.ladder])].filter(
    ({ name, standing }) => standing === "open" && !ignored.has(name),
  );
  if (open.length === 0) return formatHex(climb.digest(rung));
  context.note(`not given, and searched: ${open.map(({ name }) => name).join(", ")}`);
  return undefined;
}

interface Found {
  readonly observed: Observed;
  readonly predicted: string | undefined;
  readonly solution: TimedSolution;
}

async function makeAnswer(
  { command }: Context,
  guest: SearchedGuest,
  { observed, predicted, solution }: Found,
): Promise<Answer> {
  const { match } = solution;
  const hex = formatHex(observed.digest);
  const mistaken = guest.mistaken.get(hex);
  // What only tools print, no machine can be measured with.
  const words = match === undefined || match.tools.length > 0 ? undefined : await guest.words(match);
  return {
    guest,
    observed: hex,
    predicted,
    solution,
    command: words === undefined ? undefined : [command, "measure", ...words].join(" "),
    hints: mistaken === undefined ? [] : [`what is searched for is ${mistaken}`],
    next: match === undefined ? suggestions(command, solution, guest) : [],
  };
}

function suggestions(command: string, { stages }: TimedSolution, { inputs }: SearchedGuest): string[] {
  const hashes = inputs.map(({ role, sha256 }) => `its ${role} has the SHA-256 ${sha256}`);
  return [
    `ask whoever runs the machine whether ${hashes.join(", and ")}`,
    `another build of the firmware? ${command} explain OLD.fd NEW.fd shows what differs`,
    ...(stages.every(({ complete }) => complete) ? [] : ["rarer combinations take longer: --effort 300"]),
  ];
}
