/**
 * The entry of the `bootproof` command.
 * @module
 */
import { runProgram } from "./run.ts";
import { EXIT } from "./frame/exit-code.ts";

// How long a verb may take to clean up after SIGINT or SIGTERM before we leave without it.
const GRACE_MS = 5000;

const interruption = new AbortController();
let interrupted: number | undefined;

for (const [signal, exit] of [
  ["SIGINT", EXIT.interrupted],
  ["SIGTERM", EXIT.terminated],
  ["SIGHUP", EXIT.terminated],
] as const)
  process.on(signal, () => {
    if (interrupted !== undefined) process.exit(exit);
    interrupted = exit;
    interruption.abort(new Error(`ended by ${signal}`));
    setTimeout(() => process.exit(exit), GRACE_MS).unref();
  });

// A reader such as `head` that went away wants no more; that is no failure of ours, and no yes either.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exit(EXIT.cannotWrite);
  });

const exit = await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interruption.signal,
});
// Writing to a pipe goes on in the background; whoever reads slowly gets everything too.
await Promise.all([flush(process.stdout), flush(process.stderr)]);
process.exit(interrupted ?? exit);

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
