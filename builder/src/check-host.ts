/**
 * What a machine must have to build, each checked by trying it: `bootproof doctor` prints the answers, each with the
 * command that fixes it.
 * @module
 */
import { constants } from "node:fs";
import { access, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { allowedProcessors } from "./conditions.ts";
import { makeControlGroups } from "./control-group.ts";
import { defaultLimits } from "./executor.ts";
import { run } from "./process.ts";

/** One check of the machine. */
export interface HostCheck {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  /** What was found, in a few words. */
  readonly found: string;
  /** Why a build needs it; absent when all is well. */
  readonly why?: string;
  /** The command or the step that fixes it; absent when all is well. */
  readonly fix?: string;
}

/** Where the sandbox looks for the machine's programs. */
const HOST_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Programs the sandbox starts, by the Debian package that has them. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "util-linux": ["unshare", "setpriv", "prlimit", "setarch", "taskset", "pivot_root"],
  mount: ["mount", "umount"],
  hostname: ["hostname"],
  coreutils: ["chmod", "dirname", "du", "env", "ln", "mkdir", "mkfifo", "rm", "rmdir"],
};

const GIB = 2 ** 30;

/** Checks this machine; `store` is where the store lies or will lie. */
export async function checkHost(store: string): Promise<HostCheck[]> {
  const programs = await checkPrograms();
  // Without its programs nothing that uses them can be told apart from something that is forbidden.
  const sandbox = programs.state === "ok" ? await checkSandbox() : [];
  return [
    checkPlatform(),
    programs,
    ...sandbox,
    await checkLimits(),
    await checkDisk(store),
    checkMemory(),
    checkProcessors(),
  ];
}

function checkPlatform(): HostCheck {
  const found = `${process.platform} ${process.arch}`;
  if (found === "linux x64") return { name: "platform", state: "ok", found };
  return {
    name: "platform",
    state: "fail",
    found,
    why: "builds run Debian's amd64 programs on a Linux kernel",
    fix: "build on an amd64 Linux machine; measuring and verifying work everywhere",
  };
}

async function checkPrograms(): Promise<HostCheck> {
  const missing: string[] = [];
  const packages = new Set<string>();
  for (const [name, programs] of Object.entries(PROGRAMS))
    for (const program of programs)
      if (!(await isOnPath(program))) {
        missing.push(program);
        packages.add(name);
      }
  if (missing.length === 0) return { name: "programs", state: "ok", found: "all there" };
  return {
    name: "programs",
    state: "fail",
    found: `missing: ${missing.join(", ")}`,
    why: "the sandbox is made with them",
    fix: `apt-get install ${[...packages].join(" ")}`,
  };
}

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of HOST_PATH.split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** Trials of what the sandbox does, each in namespaces that end with it; a later one needs the earlier. */
const TRIALS: readonly { name: string; why: string; script: string; fix: string }[] = [
  {
    name: "user namespaces",
    why: "a build is root of its own namespaces only, so that it needs no privilege here",
    script: "unshare --user --map-root-user true",
    fix: "allow user namespaces: sysctl -w user.max_user_namespaces=15000",
  },
  {
    name: "namespaces",
    why: "a build sees no network, no process and no name of this machine",
    script:
      "unshare --user --map-root-user --mount --pid --net --ipc --uts --cgroup --fork --kill-child hostname trial",
    fix: "in a container: allow unshare and mount (seccomp=unconfined), or build on the machine itself",
  },
  {
    name: "proc",
    why: "a build has a /proc of its own, which a container with a masked /proc may not mount",
    script:
      'unshare --user --map-root-user --mount --pid --fork --kill-child mount -t proc -o nosuid,nodev,noexec proc "$TRIAL"',
    fix: "in a container: run it with systempaths=unconfined, or build on the machine itself",
  },
  {
    name: "overlayfs",
    why: "a build changes a layer over the toolchain, never the toolchain",
    script: `unshare --user --map-root-user --mount sh -ec '
      mount -t tmpfs trial "$TRIAL"; cd "$TRIAL"; mkdir lower upper work root
      mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay root; : > root/file'`,
    fix: "Linux 5.11 or later, with the overlay module: modprobe overlay",
  },
  {
    name: "second user",
    why: "steps run as an ordinary user even inside",
    script:
      "unshare --user --map-root-user unshare --user --map-user=1000 --map-group=1000 setpriv --no-new-privs true",
    fix: "sysctl -w user.max_user_namespaces=15000",
  },
];

async function checkSandbox(): Promise<HostCheck[]> {
  const trial = await mkdtemp("/tmp/bootproof-trial-");
  const checks: HostCheck[] = [];
  try {
    for (const { name, why, script, fix } of TRIALS) {
      const { exitCode, stderr } = await run("sh", ["-c", script], {
        env: { PATH: HOST_PATH, TRIAL: trial },
        timeoutMs: 10_000,
      });
      const found = stderr.trim().split("\n")[0] ?? "";
      if (exitCode === 0) checks.push({ name, state: "ok", found: "works" });
      else checks.push({ name, state: "fail", found, why, fix: (await findSwitch()) ?? fix });
    }
  } finally {
    await rm(trial, { recursive: true });
  }
  return checks;
}

/** Switches by which distributions turn user namespaces off, with the value that does. */
const SWITCHES: readonly (readonly [name: string, off: string, fix: string])[] = [
  ["kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"],
  ["user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"],
  [
    "kernel/apparmor_restrict_unprivileged_userns",
    "1",
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  ],
];

async function findSwitch(): Promise<string | undefined> {
  for (const [name, off, fix] of SWITCHES) {
    const value = await readFile(join("/proc/sys", name), "utf8").catch(() => "");
    if (value.trim() === off) return fix;
  }
  return undefined;
}

async function checkLimits(): Promise<HostCheck> {
  const groups = await makeControlGroups(`bootproof-trial-${process.pid}`, defaultLimits());
  await groups.remove();
  const missing = (["memory", "processes"] as const).filter((kind) => !groups.limited.has(kind));
  if (missing.length === 0)
    return { name: "limits", state: "ok", found: "memory and processes, by control group" };
  return {
    name: "limits",
    state: "warn",
    found: `${missing.join(" and ")}: for each process only`,
    why: "a build that runs wild is ended as a whole only where control groups can be made",
    fix: "build as root, or accept it: time, file sizes, the log and the disk are limited all the same",
  };
}

async function checkDisk(store: string): Promise<HostCheck> {
  const { bavail, bsize } = await statfsAbove(store);
  const free = bavail * bsize;
  const found = `${formatGib(free)} free at ${store}`;
  if (free >= 10 * GIB) return { name: "disk", state: "ok", found };
  return {
    name: "disk",
    state: free < 4 * GIB ? "fail" : "warn",
    found,
    why: "toolchains, sources and a kernel's build folder take about 6 GiB",
    fix: "free some space, or set BOOTPROOF_STORE to a folder on a larger disk",
  };
}

async function statfsAbove(path: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(path);
  } catch (cause) {
    if (dirname(path) === path) throw cause;
    return statfsAbove(dirname(path));
  }
}

function checkMemory(): HostCheck {
  const found = formatGib(totalmem());
  if (totalmem() >= 3.5 * GIB) return { name: "memory", state: "ok", found };
  return {
    name: "memory",
    state: "warn",
    found,
    why: "compilers and the layers in memory want about 4 GiB",
    fix: "give the machine more memory, or expect slow builds",
  };
}

function checkProcessors(): HostCheck {
  const count = allowedProcessors().length;
  const found = String(count);
  if (count >= 2) return { name: "processors", state: "ok", found };
  return {
    name: "processors",
    state: "warn",
    found,
    why: "a firmware and a kernel take about 15 minutes of processor time together",
    fix: "give the machine more processors, or wait longer",
  };
}

const formatGib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
