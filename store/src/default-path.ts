/**
 * Where the store lies unless told otherwise (XDG Base Directory Specification 0.8).
 * @module
 */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** BOOTPROOF_STORE, else `bootproof` in XDG_CACHE_HOME, else in ~/.cache; an empty variable counts as unset. */
export function defaultStorePath(env: Readonly<Record<string, string | undefined>>): string {
  const own = env["BOOTPROOF_STORE"];
  if (own !== undefined && own !== "") return resolve(own);
  const cache = env["XDG_CACHE_HOME"];
  // The specification says to ignore a relative XDG path.
  if (cache !== undefined && isAbsolute(cache)) return join(cache, "bootproof");
  const home = env["HOME"];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), ".cache", "bootproof");
}
