/**
 * Where the lookup index of a log lies.
 * @module
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import type { Context } from "../frame/context.ts";
import { usage } from "../frame/given.ts";
import { isUrl } from "./is-url.ts";
import { lookupFile } from "./log-files.ts";
import { privateFolder } from "./log-place.ts";

/** The index that was named, or the one in the private folder of a log on a folder; throws for a log at a URL. */
export function lookupPlace({ cwd }: Pick<Context, "cwd">, log: string, named: string | undefined): string {
  if (named !== undefined) return resolve(cwd, named);
  if (isUrl(log)) throw usage("a log at a URL has no index here", "name a file for it: --index FILE");
  return lookupFile(privateFolder(resolve(cwd, log)));
}

/** The index to look into: the one named, or the one beside the log when it is there. */
export async function findLookup(
  context: Pick<Context, "cwd">,
  log: string,
  named: string | undefined,
): Promise<string | undefined> {
  if (named === undefined && isUrl(log)) return undefined;
  const file = lookupPlace(context, log, named);
  if (named !== undefined || (await exists(file))) return file;
  return undefined;
}

/** Whether a file is there. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
