/**
 * @bootproof/cli: the `bootproof` command. It is a surface: nothing imports it but its own tests.
 * @module
 */
export { runProgram } from "./run.ts";
export type { Surroundings } from "./frame/context.ts";
export { EXIT, type ExitCode } from "./frame/exit-code.ts";
