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
import { GuestFiles, type GuestInput } from "../measuring/guest-files.ts";
import { type GuestRequest, readGuestRequest } from "../measuring/guest-request.ts";
import { findingCommand } from "../solving/finding-command.ts";
import { type Observed, readObserved } from "../solving/observed-input.ts";
import { runSearch, type TimedSolution } from "../solving/run-search.ts";
import { searchedGuest, type SearchedGuest } from "../solving/search-guest.ts";
import { type Answer, solutionDocument } from "../solving/solution-document.ts";
import { formatSolution } from "../solving/solution-text.ts";

/** Seconds that a search without a match takes: everything but the rarest combinations. */
const EFFORT = 20n;
const MAX_EFFORT = 86_400n;

/** Exit 0 only when the inputs as given give the digest, 1 when others do, 2 when nothing that was tried does. */
const EXITS = { match: EXIT.yes, "other-shape": EXIT.no, none: EXIT.undecided } as const;

/** Searches for the guest that reported a digest. */
export async function solveVerb(context: Context, given: Given): Promise<ExitCode> {
  const observed = await readObserved(given.text("observed") ?? "");
  const effort = Number(given.unsigned("effort", MAX_EFFORT) ?? EFFORT);
  const request = readRequest(given, observed);
  const files = new GuestFiles();
  const guest = await searchedGuest(request, files, observed);
  for (const note of observed.notes) context.note(note);
  const predicted = predict(context, guest, request);
  const solution = await runSearch(context, guest.space, observed.digest, effort);
  const answer = await makeAnswer(context, { observed, request, files, guest, predicted, solution });
  await context.answer(formatSolution(answer), solutionDocument(answer));
  return EXITS[solution.verdict];
}

/** The variable store is no input of a measurement; here it is a guess of what the firmware was joined with. */
function readRequest(given: Given, { digest }: Observed): GuestRequest {
  const alone = given.text("svsm") === undefined;
  const request = readGuestRequest(
    alone ? given.without("varsFile", "varsSize") : given,
    platformOf(given, digest),
  );
  if ((request.platform === "snp") !== (digest.length === 48))
    throw new Failure(
      "BP-SOLVE-002",
      EXIT.usage,
      `a digest of ${String(digest.length)} bytes is not one of ${request.platform}`,
      {
        hint: "leave --mode away: the length of the digest says which platform it is from",
      },
    );
  if (alone && given.text("varsSize") !== undefined)
    throw badValue(
      "--vars-size",
      "--vars-file: only the store's bytes can be joined with the firmware",
      "a size",
    );
  return alone ? { ...request, varsFile: given.text("varsFile") } : request;
}

/** A digest of 32 bytes is one of SEV-ES, unless the user names the profile of plain SEV. */
function platformOf(given: Given, digest: Uint8Array): AmdPlatform {
  if (digest.length === 48) return "snp";
  return given.text("profile") === "sev" ? "sev" : "sev-es";
}

/** What the inputs as given measure to, when they are complete and launch. */
function predict(context: Context, { space }: SearchedGuest, request: GuestRequest): string | undefined {
  const asGiven = space.axes.map(() => 0);
  const climb = space.climb(asGiven);
  if (climb instanceof Error) {
    context.note(`as given, nothing launches: ${climb.message}; other inputs are searched`);
    return undefined;
  }
  const rung = space.ladder?.given;
  const ignored = rung === undefined ? new Set<string>() : space.ignored(asGiven, rung);
  const open = space.axes.some(({ name, standing }) => standing === "open" && !ignored.has(name));
  if (rung === undefined || open) {
    const known = request.axes.vcpus.length === 0 ? "the number of vCPUs" : "the CPU";
    context.note(`${known} is not given: it is searched`);
    return undefined;
  }
  return formatHex(climb.digest(rung));
}

interface Searched {
  readonly observed: Observed;
  readonly request: GuestRequest;
  readonly files: GuestFiles;
  readonly guest: SearchedGuest;
  readonly predicted: string | undefined;
  readonly solution: TimedSolution;
}

async function makeAnswer(context: Context, searched: Searched): Promise<Answer> {
  const { observed, request, files, guest, predicted, solution } = searched;
  const { match } = solution;
  const hex = formatHex(observed.digest);
  const mistaken = guest.mistaken.get(hex);
  const inputs = await namedInputs(request, files);
  return {
    platform: request.platform,
    observed: hex,
    predicted,
    solution,
    space: guest.space,
    inputs,
    command:
      match === undefined ? undefined : await findingCommand(context.command, request, guest, match, files),
    hints: mistaken === undefined ? [] : [`what is searched for is ${mistaken}`],
    notTried: guest.notTried,
    next: match === undefined ? suggestions(context.command, solution, inputs) : [],
  };
}

async function namedInputs(request: GuestRequest, files: GuestFiles): Promise<GuestInput[]> {
  const { firmware, kernel, initrd, appendFile } = request;
  const roles = { firmware, kernel, initrd, cmdline: appendFile };
  const inputs: GuestInput[] = [];
  for (const [role, path] of Object.entries(roles))
    if (path !== undefined) inputs.push(await files.input(role, path));
  return inputs;
}

function suggestions(command: string, { stages }: TimedSolution, inputs: readonly GuestInput[]): string[] {
  const hashes = inputs.map(({ role, sha256 }) => `its ${role} has the SHA-256 ${sha256}`);
  return [
    `ask whoever runs the machine whether ${hashes.join(", and ")}`,
    `another build of the firmware? ${command} explain OLD.fd NEW.fd shows what differs`,
    ...(stages.every(({ complete }) => complete) ? [] : ["rarer combinations take longer: --effort 300"]),
  ];
}
