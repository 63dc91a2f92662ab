/**
 * What a SEV platform says about itself: the firmware's version and build ID, and the guest's policy.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInputText } from "../frame/files.ts";
import { type Given, usage } from "../frame/given.ts";
import { fieldOf, parseJson } from "./json-field.ts";
import { readPolicy } from "./read-policy.ts";

/** The numbers that go into a launch measure. */
export interface Platform {
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly buildId: number;
  readonly policy: number;
}

// The option, and the field of QEMU's answer to query-sev, with the largest value of each.
const NUMBERS = [
  ["apiMajor", "api-major", 0xff],
  ["apiMinor", "api-minor", 0xff],
  ["buildId", "build-id", 0xff],
  ["policy", "policy", 0xffff_ffff],
] as const;

/** Reads the numbers from options, and those not given from the file of `--query-sev`. */
export async function readPlatform(given: Given): Promise<Platform> {
  const file = given.text("querySev");
  const answered = file === undefined ? {} : await readAnswer(file);
  const found: Record<string, number> = { ...answered };
  for (const [name, , limit] of NUMBERS) {
    const text = given.text(name);
    if (text === undefined) continue;
    const value =
      name === "policy" ? readPolicy("--policy", "sev", text) : given.unsigned(name, BigInt(limit));
    if (value !== undefined) found[name] = Number(value);
  }
  const take = (name: (typeof NUMBERS)[number][0]): number => {
    const value = found[name];
    if (value !== undefined) return value;
    const flags = NUMBERS.filter(([one]) => found[one] === undefined).map(([, flag]) => `--${flag}`);
    throw usage(
      "the firmware's version, its build ID and the policy are needed",
      `give ${flags.join(", ")}, or --query-sev FILE`,
    );
  };
  return {
    apiMajor: take("apiMajor"),
    apiMinor: take("apiMinor"),
    buildId: take("buildId"),
    policy: take("policy"),
  };
}

async function readAnswer(file: string): Promise<Partial<Platform>> {
  const document = parseJson(await readInputText(file, 2 ** 16));
  const answer = fieldOf(document, "return") ?? document;
  const found: Record<string, number> = {};
  for (const [name, field, limit] of NUMBERS) {
    const value = fieldOf(answer, field);
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= limit)
      found[name] = value;
  }
  if (Object.keys(found).length > 0) return found;
  throw new Failure("BP-ID-009", EXIT.malformed, "is no answer of query-sev", {
    file,
    expected: `JSON with ${NUMBERS.map(([, field]) => field).join(", ")}`,
  });
}
