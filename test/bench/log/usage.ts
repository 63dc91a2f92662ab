/**
 * Processor time and memory of a process and its children, as Linux counts them.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";

/** Ticks of processor time a second; the same on every Linux that Node runs on. */
const TICKS = 100;

/** What a process has used since its start. */
export interface Usage {
  /** User and system time in seconds. */
  readonly processor: number;
  /** Largest resident memory in MiB. */
  readonly memory: number;
}

/** Reads what a process and its living children have used. */
export async function usageOf(pid: number): Promise<Usage> {
  const parents = new Map<number, number>();
  const times = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // Fields after the command's name, which may hold anything: state, parent, ..., utime and stime as the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    parents.set(Number(name), Number(fields[1]));
    times.set(Number(name), (Number(fields[11]) + Number(fields[12])) / TICKS);
  }
  const family = [...parents.keys()].filter((one) => descends(one, pid, parents));
  let memory = 0;
  for (const one of family) {
    const status = await readFile(`/proc/${one}/status`, "utf8").catch(() => "");
    memory += Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  }
  return { processor: family.reduce((sum, one) => sum + (times.get(one) ?? 0), 0), memory };
}

function descends(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
    if (at === ancestor) return true;
  return false;
}
