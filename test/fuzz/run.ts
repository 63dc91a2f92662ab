/**
 * `npm run fuzz -- TARGET [--count N] [--seed N] [--case N]`: hostile inputs, the same ones for the same seed.
 * Ends with `N passed, N failed`; a failing case is kept as a file and can be run alone with `--case`.
 * npm starts it with little room for garbage, so that what the process holds is what the cases need.
 * @module
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { fuzz, type FuzzResult, MEMORY_LIMIT } from "./fuzz.ts";
import type { Target } from "./target.ts";

/** Targets by name; loaded when asked for. */
const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  snp: async () => (await import("./targets/snp.ts")).snp,
  igvm: async () => (await import("./targets/igvm.ts")).igvm,
  reference: async () => (await import("./targets/reference.ts")).reference,
  lint: async () => (await import("./targets/lint.ts")).lint,
  explain: async () => (await import("./targets/explain.ts")).explain,
  identity: async () => (await import("./targets/identity.ts")).identity,
  machine: async () => (await import("./targets/machine.ts")).machine,
  eif: async () => (await import("./targets/eif.ts")).eif,
  "eif-signature": async () => (await import("./targets/eif-signature.ts")).eifSignature,
  cbor: async () => (await import("./targets/cbor.ts")).cbor,
  attestation: async () => (await import("./targets/attestation.ts")).attestation,
  image: async () => (await import("./targets/image.ts")).image,
  rootfs: async () => (await import("./targets/rootfs.ts")).rootfs,
  kms: async () => (await import("./targets/kms.ts")).kms,
  "quorum-os": async () => (await import("./targets/quorum-os.ts")).quorumOs,
};

const FOLDER = path.resolve(import.meta.dirname, "../out-tsc/fuzz");

process.exitCode = await main(process.argv.slice(2));

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { count: { type: "string" }, seed: { type: "string" }, case: { type: "string" } },
  });
  const load = TARGETS[positionals[0] ?? ""];
  if (load === undefined || positionals.length > 1) {
    console.error(
      `usage: npm run fuzz -- ${Object.keys(TARGETS).join("|")} [--count N] [--seed N] [--case N]`,
    );
    return 64;
  }
  const seed = number("seed", values.seed) ?? Date.now() % 2 ** 32;
  const only = number("case", values.case);
  const count = only === undefined ? (number("count", values.count) ?? 1_000_000) : 1;
  const target = await load();
  console.log(`${target.name}: ${target.about}; ${count} cases, seed ${seed}`);
  const start = performance.now();
  const options = { seed, first: only ?? 0, count, folder: FOLDER, patience: 10 };
  const result = await fuzz(target, {
    ...options,
    ...(process.stderr.isTTY && { onProgress: progress(count) }),
  });
  report(result, target, seed, (performance.now() - start) / 1000);
  return result.failed > 0 || result.growth > MEMORY_LIMIT ? 1 : 0;
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) throw new RangeError(`--${name} is no number: ${text}`);
  return value;
}

function progress(count: number): (done: number, failed: number) => void {
  return (done, failed) => {
    const end = done + 1000 >= count ? "\n" : "";
    process.stderr.write(`\r${((100 * done) / count).toFixed(1).padStart(5)} %  ${failed} failed${end}`);
  };
}

function report(result: FuzzResult, target: Target, seed: number, seconds: number): void {
  for (const { index, given, message, file } of result.failures)
    console.log(
      `\ncase ${index}: ${given}\n${message}\nkept as ${file}; again: npm run fuzz -- ${target.name} --seed ${seed} --case ${index}`,
    );
  const { accepted, passed, failed, slowest, growth } = result;
  const mebibytes = (growth / 2 ** 20).toFixed(0);
  const tooMuch = growth > MEMORY_LIMIT;
  console.log(
    `${seconds.toFixed(1)} s; ${accepted} answers, ${passed - accepted} refusals; slowest case ${slowest.index}: ${slowest.milliseconds.toFixed(1)} ms (limit ${target.limit}); memory above the largest input: ${mebibytes} MiB (limit 64)`,
  );
  if (tooMuch) console.log("too much memory");
  console.log(`${passed} passed, ${failed + (tooMuch ? 1 : 0)} failed`);
}
