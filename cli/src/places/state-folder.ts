/**
 * Where the command keeps what it must not forget, such as the checkpoints it saw (XDG Base Directory Specification
 * 0.8): unlike a cache, removing it loses something.
 * @module
 */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** BOOTPROOF_STATE, else `bootproof` in XDG_STATE_HOME, else in ~/.local/state; an empty variable counts as unset. */
export function stateFolder(env: Readonly<Record<string, string | undefined>>): string {
  const own = env["BOOTPROOF_STATE"] ?? "";
  if (own !== "") return resolve(own);
  const state = env["XDG_STATE_HOME"] ?? "";
  // The specification says to ignore a relative XDG path.
  if (isAbsolute(state)) return join(state, "bootproof");
  const home = env["HOME"] ?? "";
  return join(isAbsolute(home) ? home : homedir(), ".local", "state", "bootproof");
}
