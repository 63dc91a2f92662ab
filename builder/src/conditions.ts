/**
 * The conditions a build runs under that are no part of its action: the standard ones, and others that must not change
 * a byte of what comes out.
 * @module
 */
import { readFileSync, statfsSync } from "node:fs";

/** What may differ between two runs of one action; an absent field is the standard. */
export interface Conditions {
  /** Where the build folder appears inside; the standard is /build. */
  readonly buildPath?: string;
  /** User and group id; the standard is 1000. */
  readonly user?: number;
  readonly hostname?: string;
  readonly umask?: string;
  /** Variables that replace the action's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The one processor to run on; the standard is all. */
  readonly processor?: number;
  /** The build folder in memory, which lists directories in another order than a disk; at most so many bytes. */
  readonly buildInMemory?: number;
  /** Fixed addresses, and a kernel that calls itself 2.6. */
  readonly otherPersonality?: boolean;
}

/** Everything as it is for every build. */
export const STANDARD_CONDITIONS: Conditions = {};

/** One thing that a second build varies, for people to read. */
export interface Variation {
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

const YEARS_LATER = 3;
const YEAR = 365 * 24 * 60 * 60;
/** Part of the free memory that the build folders in memory may take; the compilers need the rest. */
const MEMORY_SHARE = 0.5;

/** statfs(2), TMPFS_MAGIC. */
const TMPFS = 0x0102_1994;

/** What a second build has to itself. */
export interface Place {
  /** The one processor that it runs on. */
  readonly processor: number;
  /** Number of such builds at once. */
  readonly sharedBy: number;
  /** Where its first build was. */
  readonly folder: string;
}

/** Other conditions for a second build whose first left `buildSize` bytes in its build folder, and what differs. */
export function varyConditions(
  epoch: string,
  buildSize: number,
  { processor, sharedBy, folder }: Place,
): { readonly conditions: Conditions; readonly variations: readonly Variation[] } {
  const later = String(Number(epoch) + YEARS_LATER * YEAR);
  const needed = Math.ceil(buildSize * 1.25) + 256 * 1024 * 1024;
  const fits = needed <= (availableMemory() * MEMORY_SHARE) / sharedBy;
  const conditions: Conditions = {
    buildPath: "/home/another.builder/a-folder-with-a-longer-name/build",
    user: 4321,
    hostname: "another-machine",
    umask: "027",
    environment: {
      FAKETIME: later,
      HOME: "/home/another.builder",
      LANG: "de_DE.UTF-8",
      LC_ALL: "C",
      TZ: "<+1245>-12:45",
      USER: "another.builder",
    },
    processor,
    otherPersonality: true,
    ...(fits ? { buildInMemory: needed } : {}),
  };
  const order = describeOrder(fits, folder);
  return { conditions, variations: [...describeVariations(conditions, epoch, later), order] };
}

function describeOrder(fits: boolean, folder: string): Variation {
  const inMemory = statfsSync(folder).type === TMPFS;
  return {
    what: "directory order",
    first: inMemory ? "tmpfs" : "the disk's",
    second: !fits
      ? "the same: too little memory to vary it"
      : inMemory
        ? "the same: the store lies in memory too"
        : "tmpfs",
  };
}

function describeVariations(varied: Conditions, epoch: string, later: string): Variation[] {
  const date = (seconds: string): string => new Date(Number(seconds) * 1000).toISOString();
  return [
    { what: "build path", first: "/build", second: varied.buildPath ?? "" },
    { what: "user and group id", first: "1000", second: String(varied.user) },
    { what: "user name", first: "unset", second: "another.builder" },
    { what: "home", first: "/nonexistent", second: "/home/another.builder" },
    { what: "host name", first: "bootproof", second: varied.hostname ?? "" },
    { what: "umask", first: "022", second: varied.umask ?? "" },
    { what: "locale", first: "C.UTF-8", second: "C, with LANG=de_DE.UTF-8" },
    { what: "time zone", first: "UTC", second: "12:45 hours east" },
    { what: "time", first: date(epoch), second: date(later) },
    { what: "processors", first: String(allowedProcessors().length), second: "1" },
    { what: "addresses", first: "random", second: "fixed" },
    { what: "kernel release", first: "the machine's", second: "2.6" },
  ];
}

/** Numbers of the processors that this process may use (proc(5), Cpus_allowed_list). */
export function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Bytes that the kernel believes can be used without swapping (proc(5), MemAvailable). */
export function availableMemory(): number {
  const kibibytes = /^MemAvailable:\s*([0-9]+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}
