/**
 * -smp: how many vCPUs a machine starts with. Missing parts follow from those given, and their product must be
 * maxcpus (QEMU, hw/core/machine-smp.c; checked against QEMU 7.2).
 * @module
 */
import { MeasureError } from "../measure-error.ts";
import type { Properties } from "./key-values.ts";
import { parseNumber } from "./values.ts";

const LEVELS = ["drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"] as const;
/** QEMU's own limits end below; more is a typing error. */
const MAX = 65_535n;

/** vCPUs present at launch, by the merged properties of all -smp; throws {@link MeasureError} BP-MACHINE-003. */
export function launchVcpus(smp: Properties): number {
  const part = (name: string): number | undefined => {
    const text = smp.get(name);
    if (text === undefined) return undefined;
    const value = Number(parseNumber(text, `-smp ${name}`, MAX));
    if (value === 0) throw refused(`${name}=0`, "at least 1");
    return value;
  };
  const unknown = [...smp.keys()].find((name) => !isPart(name));
  if (unknown !== undefined) throw refused(unknown, ["cpus", "maxcpus", ...LEVELS].join(", "));

  const levels = LEVELS.map(part);
  const given = levels.reduce((product: number, level) => product * (level ?? 1), 1);
  const cpus = part("cpus");
  const maxcpus = part("maxcpus") ?? cpus;
  if (maxcpus === undefined) return given;
  checkTopology(given, maxcpus, levels);
  if (cpus !== undefined && cpus > maxcpus) throw refused(`cpus=${cpus}`, `at most maxcpus (${maxcpus})`);
  return cpus ?? maxcpus;
}

const isPart = (name: string): boolean =>
  name === "cpus" || name === "maxcpus" || (LEVELS as readonly string[]).includes(name);

/** One level that is not given takes up what the others leave: sockets, cores or threads. */
function checkTopology(given: number, maxcpus: number, levels: readonly (number | undefined)[]): void {
  const free = [2, 6, 7].some((index) => levels[index] === undefined);
  if (free ? maxcpus % given === 0 : maxcpus === given) return;
  throw refused(`a topology of ${given}`, `one whose product is maxcpus (${maxcpus})`);
}

function refused(found: string, expected: string): MeasureError {
  return new MeasureError("BP-MACHINE-003", "-smp has a value that QEMU refuses", { expected, found });
}
