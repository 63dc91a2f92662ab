/**
 * The password of a database from PGPASSWORD or from the password file of libpq ("The Password File", PostgreSQL 15):
 * lines `host:port:database:user:password`, `*` matches anything, `\` escapes, and a file that others may read is not
 * used.
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errnoOf, StoreError, systemError } from "./store-error.ts";

/** What the file is asked for. */
export interface PasswordQuery {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

const MAX_FILE = 1024 * 1024;

/** Finds the password for a connection; undefined when none is known, which is right for peer or certificate logins. */
export async function findPassword(
  query: PasswordQuery,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const fromEnvironment = env["PGPASSWORD"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const text = await readPasswordFile(env["PGPASSFILE"] ?? join(homedir(), ".pgpass"));
  return text === undefined ? undefined : matchPassword(text, query);
}

async function readPasswordFile(file: string): Promise<string | undefined> {
  try {
    const { mode, size } = await stat(file);
    if ((mode & 0o077) !== 0)
      throw new StoreError("BP-STORE-031", `others may read the password file ${file}`, {
        file,
        hint: `chmod 600 ${file}`,
      });
    return size > MAX_FILE ? undefined : await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error instanceof StoreError ? error : systemError("read", file, error);
  }
}

/** The password of the first line that matches. */
export function matchPassword(text: string, query: PasswordQuery): string | undefined {
  // libpq looks up sockets, wherever they are, under this name.
  const host = query.host.startsWith("/") ? "localhost" : query.host;
  const wanted = [host, String(query.port), query.database, query.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const [password, ...fields] = splitLine(line).reverse();
    fields.reverse();
    if (password === undefined || fields.length !== wanted.length) continue;
    if (fields.every((field, at) => field === "*" || field === wanted[at])) return password;
  }
  return undefined;
}

/** The five fields of a line, escapes undone; colons in the last one need none. */
function splitLine(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < line.length; at++) {
    let char = line.charAt(at);
    if (char === ":" && fields.length < 4) {
      fields.push(field);
      field = "";
      continue;
    }
    if (char === "\\" && at + 1 < line.length) char = line.charAt(++at);
    field += char;
  }
  return [...fields, field];
}
