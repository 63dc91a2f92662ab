/**
 * Watches logs for what their users would want to know.
 * @module
 */
import type { Context } from "../frame/context.ts";
import type { ExitCode } from "../frame/exit-code.ts";
import { type Given, usage } from "../frame/given.ts";
import { follow } from "../watching/follow.ts";
import { readWatchConfig } from "../watching/read-config.ts";

/** Watches as configured. */
export async function watch(context: Context, given: Given): Promise<ExitCode> {
  const [once, test] = [given.flag("once"), given.flag("testSinks")];
  if (once && test) throw usage("--once and --test-sinks at once");
  const config = await readWatchConfig(context, given);
  return follow(context, config, test ? "test sinks" : once ? "once" : "always");
}
