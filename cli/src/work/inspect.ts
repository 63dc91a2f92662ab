/**
 * Decodes a file of any kind that we know, or of the kind that was asked for.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { isEifFile } from "../enclave/is-eif-file.ts";
import { toFailure } from "../errors/to-failure.ts";
import type { Context } from "../frame/context.ts";
import { EXIT, type ExitCode } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import { badValue, type Given, usage } from "../frame/given.ts";
import type { Inspection } from "../inspect/inspection.ts";
import { type InspectorRow, INSPECTORS } from "../inspect/inspectors.ts";
import { printable } from "../report/printable.ts";

/** Says what a file is and what is in it. */
export async function inspect(context: Context, given: Given): Promise<ExitCode> {
  const [first, second] = [given.argument(0), given.optionalArgument(1)];
  const kind = second === undefined ? undefined : kindNamed(first);
  const file = second ?? first;
  const found =
    (await lookAgainst(context, given, kind, file)) ??
    (await lookAtEif(context, given, kind, file)) ??
    (await lookWhole(given, kind, file));
  const document = { schema: "bootproof/inspection/1", file, kind: found.kind, ...found.document };
  await context.answer(printable(found.text) + advice(found.kind, context.command), plain(document));
  return found.judged ?? EXIT.yes;
}

/** An EIF has any size: it is recognised by its first bytes, and never read whole. */
async function lookAtEif(
  context: Context,
  given: Given,
  kind: InspectorRow | undefined,
  file: string,
): Promise<Inspection | undefined> {
  if (kind !== undefined && kind.word !== "eif") return undefined;
  if (!(await isEifFile(file))) return undefined;
  const { inspectEifFile } = await import("../enclave/inspect-eif.ts");
  const { watchHashing } = await import("../enclave/watch-hashing.ts");
  const members = given.flag("members");
  return await watchHashing(context, (options) => inspectEifFile(file, { ...options, members }));
}

/** Only a manifest can be held against something. */
async function lookAgainst(
  context: Context,
  given: Given,
  kind: InspectorRow | undefined,
  file: string,
): Promise<Inspection | undefined> {
  const against = given.text("against");
  if (against === undefined) return undefined;
  if (kind !== undefined && kind.word !== "manifest")
    throw usage("--against is for QuorumOS manifests", "bootproof inspect manifest FILE --against DOCUMENT");
  const { inspectAgainst } = await import("../inspect/quorum-against.ts");
  return await inspectAgainst(context, file, against);
}

async function lookWhole(given: Given, kind: InspectorRow | undefined, file: string): Promise<Inspection> {
  if (given.flag("members")) throw usage("--members lists what is in an EIF's ramdisks, and this is no EIF");
  const bytes = await readInput(file);
  return await (kind === undefined ? look(bytes, file) : lookAs(kind, bytes, file));
}

function kindNamed(word: string): InspectorRow {
  const kind = INSPECTORS.find((candidate) => candidate.word === word);
  if (kind === undefined)
    throw badValue("the kind of file", INSPECTORS.map((row) => row.word).join(", "), word);
  return kind;
}

async function look(bytes: Uint8Array, file: string): Promise<Inspection> {
  for (const row of INSPECTORS) {
    const found = await lookFor(row, bytes, file);
    if (found !== undefined) return found;
  }
  const expected = INSPECTORS.map(({ name }) => name).join(", ");
  throw new Failure("BP-FILE-007", EXIT.malformed, "is of no kind that bootproof knows", { file, expected });
}

/** Decodes bytes as one kind; what is recognised as another kind is refused with that kind's name. */
async function lookAs(row: InspectorRow, bytes: Uint8Array, file: string): Promise<Inspection> {
  const found = await lookFor(row, bytes, file);
  if (found !== undefined) return found;
  const other = await otherKind(row, bytes, file);
  if (other === undefined && row.loadAnyway !== undefined) return lookAnyway(row.loadAnyway, bytes, file);
  throw new Failure("BP-FILE-008", EXIT.malformed, "is of another kind than the one asked for", {
    file,
    expected: row.name,
    found: other?.name ?? "nothing that bootproof recognises",
    hint: other && `bootproof inspect ${other.word} FILE decodes it`,
  });
}

async function lookFor(row: InspectorRow, bytes: Uint8Array, file: string): Promise<Inspection | undefined> {
  try {
    return (await row.load())(bytes, file);
  } catch (error) {
    throw toFailure(error, file);
  }
}

async function lookAnyway(
  load: NonNullable<InspectorRow["loadAnyway"]>,
  bytes: Uint8Array,
  file: string,
): Promise<Inspection> {
  try {
    return (await load())(bytes);
  } catch (error) {
    throw toFailure(error, file);
  }
}

async function otherKind(
  asked: InspectorRow,
  bytes: Uint8Array,
  file: string,
): Promise<InspectorRow | undefined> {
  for (const row of INSPECTORS) {
    if (row === asked) continue;
    try {
      if ((await row.load())(bytes, file) !== undefined) return row;
    } catch (error) {
      // It has the marks of that kind and is malformed or refused, so it is hardly meant to be another.
      if (error instanceof ParseError || error instanceof Failure) return row;
      throw toFailure(error, file);
    }
  }
  return undefined;
}

const SIGNED: ReadonlySet<string> = new Set(["tlog-proof", "checkpoint", "envelope"]);
const IDENTITIES: ReadonlySet<string> = new Set(["id-block", "id-auth"]);

/** What was signed is shown as it claims to be, and the output says so. */
function advice(kind: string, command: string): string {
  if (SIGNED.has(kind)) return `not verified: ${command} verify FILE --policy P does that\n`;
  return IDENTITIES.has(kind) ? `not verified: ${command} id-block verify does that\n` : "";
}

/** The document with what JSON lacks: bigints as decimal text, bytes as hex. */
function plain(document: object): object {
  const text = JSON.stringify(document, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
  return JSON.parse(text) as object;
}
