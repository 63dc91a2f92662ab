/**
 * What the user typed after a verb, read by name and type.
 * @module
 */
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";

/** The arguments and options of one call. */
export class Given {
  readonly #args: readonly unknown[];
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(args: readonly unknown[], options: Readonly<Record<string, unknown>>) {
    this.#args = args;
    this.#options = options;
  }

  /** The same call as if these options had been given too. */
  with(options: Readonly<Record<string, unknown>>): Given {
    return new Given(this.#args, { ...this.#options, ...options });
  }

  /** The same call as if some options had not been given. */
  without(...names: readonly string[]): Given {
    const others = Object.entries(this.#options).filter(([name]) => !names.includes(name));
    return new Given(this.#args, Object.fromEntries(others));
  }

  /** The argument at a position that must be there. */
  argument(position: number): string {
    const value = this.#args[position];
    if (typeof value !== "string") throw usage(`argument ${String(position + 1)} is missing`);
    return value;
  }

  /** The argument at a position, when it is there. */
  optionalArgument(position: number): string | undefined {
    const value = this.#args[position];
    return typeof value === "string" ? value : undefined;
  }

  /** The arguments of a variadic position. */
  arguments(position: number): string[] {
    const value = this.#args[position];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** An option's value, when it was given. */
  text(name: string): string | undefined {
    const value = this.#options[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Every value of an option that may be repeated. */
  list(name: string): string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** Whether `--no-NAME` was given. */
  refused(name: string): boolean {
    return this.#options[name] === false;
  }

  /** Whether an option was given, with a value or without. */
  has(name: string): boolean {
    return this.#options[name] !== undefined;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  /** An option's value as an unsigned integer, decimal or 0x hex, no larger than `limit`. */
  unsigned(name: string, limit: bigint): bigint | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : parseUnsigned(flagOf(name), value, limit);
  }
}

/** Parses an unsigned integer in decimal or 0x hex, or throws a usage failure naming the option. */
export function parseUnsigned(flag: string, value: string, limit: bigint): bigint {
  const expected = `a number from 0 to ${String(limit)}, decimal or 0x hex`;
  if (!/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(value)) throw badValue(flag, expected, value);
  const number = BigInt(value);
  if (number > limit) throw badValue(flag, expected, value);
  return number;
}

/** The failure for an option whose value cannot be read. */
export function badValue(flag: string, expected: string, found: string): Failure {
  return new Failure("BP-USAGE-002", EXIT.usage, `${flag} has a value that cannot be read`, {
    expected,
    found,
  });
}

/** The failure for options that do not go together. */
export function usage(message: string, hint?: string): Failure {
  return new Failure("BP-USAGE-002", EXIT.usage, message, { hint });
}

/** The flag of an option's name: `vcpuType` is `--vcpu-type`. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
