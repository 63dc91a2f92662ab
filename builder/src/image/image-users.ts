/**
 * Finds the user of an image: config.md, `User`: a name or number, perhaps `:` and a group's name or number. Names are
 * looked up in the image's own passwd(5) and group(5), numbers too where the group is left out, as runtimes do.
 * @module
 */
import { quote } from "@bootproof/bytes";
import { BuildError } from "../build-error.ts";
import type { FindingList } from "./finding-list.ts";

/** Numbers of a user and a group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The text of a file of the image, undefined when there is none. */
export type ReadFile = (path: string) => string | undefined;

interface UserContext {
  readonly readFile: ReadFile;
  readonly findings: FindingList;
  readonly file: string;
}

const PASSWD = "/etc/passwd";
const GROUP = "/etc/group";
const MAX_ID = 2 ** 31 - 1;

/** The numbers; throws {@link BuildError} BP-IMAGE-017 or 018. */
export function findUser(text: string, context: UserContext): Owner {
  if (text === "") return { uid: 0, gid: 0 };
  const [user = "", group, ...rest] = text.split(":");
  if (user === "" || group === "" || rest.length > 0 || /[\n\0]/.test(text))
    throw new BuildError("BP-IMAGE-017", "not a user", {
      file: context.file,
      expected: "a name or number, perhaps : and a group",
      found: quote(text),
    });
  const entry = userOf(user, context);
  const uid = entry?.uid ?? numberOf(user, "user", PASSWD, context);
  if (group !== undefined) return { uid, gid: groupOf(group, context) };
  if (entry !== undefined) noteGroups(entry.name, entry.gid, context);
  return { uid, gid: entry?.gid ?? 0 };
}

function userOf(user: string, { readFile }: UserContext): (Owner & { readonly name: string }) | undefined {
  for (const [name = "", , uid = "", gid = ""] of fields(readFile(PASSWD)))
    if ((name === user || (isNumber(user) && uid === user)) && isNumber(uid) && isNumber(gid))
      return { name, uid: Number(uid), gid: Number(gid) };
  return undefined;
}

function groupOf(group: string, context: UserContext): number {
  const found = fields(context.readFile(GROUP)).find(
    ([name, , gid]) => name === group && isNumber(gid ?? ""),
  );
  return found === undefined ? numberOf(group, "group", GROUP, context) : Number(found[2]);
}

function noteGroups(name: string, primary: number, { readFile, findings }: UserContext): void {
  const further = fields(readFile(GROUP)).filter(
    ([, , gid, members = ""]) => members.split(",").includes(name) && gid !== String(primary),
  );
  if (further.length > 0)
    findings.add(
      "BP-IMAGE-104",
      `user ${name} runs without the groups ${further.map(([group]) => group).join(", ")}`,
    );
}

function numberOf(text: string, what: string, path: string, { file }: UserContext): number {
  if (isNumber(text)) return Number(text);
  throw new BuildError("BP-IMAGE-018", `the image has no ${what} ${quote(text)}`, {
    file,
    expected: `a number, or a name in its ${path}`,
  });
}

const isNumber = (text: string): boolean => /^[0-9]{1,10}$/.test(text) && Number(text) <= MAX_ID;

const fields = (text = ""): string[][] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
