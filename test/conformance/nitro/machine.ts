/**
 * An enclave in QEMU by software emulation, with the devices that a real one has: the security module, and vsock to a
 * parent. The parent is this process, to which a guest connects as vsock number 2, or a machine beside it, number 3.
 * @module
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { NitroTools, Tool } from "./tools.ts";

/** What the machine says of itself: no part of an image. */
export const PARENT = {
  role: "arn:aws:iam::123456789012:role/Webserver",
  instance: "i-0123456789abcdef0",
  module: "i-0123456789abcdef0-enc0123456789abcdef",
} as const;

/** How a boot ended is on the console. */
export interface Boot {
  /** Everything the guest wrote, line ends as `\n`. */
  readonly console: string;
  /** The bytes that the parent in this process was sent. */
  readonly heartbeats: readonly number[];
}

/** Who answers the heartbeat: this process (vsock number 2), a machine beside it (number 3), or nobody. */
export type Parent = "here" | "beside" | "nobody";

const SECONDS = 120;
const KILL_AFTER_SECONDS = 5;
/** The limit is kept by timeout(1), which ends a program even when nobody is left who started it. */
const limit = (seconds: number): string[] => [`--kill-after=${KILL_AFTER_SECONDS}`, `${seconds}`];
const UNTIL_CANCELLED = { stdin: "ignore", all: true, reject: false, forceKillAfterDelay: false } as const;
const HEARTBEAT_PORT = 9000;

/** Boots an image until the console has `marker`, and ends it there: not every guest ends by itself. */
export async function bootEnclave(
  tools: NitroTools,
  eif: string,
  parent: Parent,
  marker: RegExp,
): Promise<Boot> {
  // Short, for the path of a socket has at most 107 bytes.
  const folder = await mkdtemp(path.join(tmpdir(), "bp-nitro-"));
  const everything = new AbortController();
  const ended: Promise<unknown>[] = [];
  const run = (tool: Tool, args: readonly string[], wanted: RegExp): Promise<string> => {
    const program = start(tool, args, wanted, folder, everything.signal);
    ended.push(program.ended);
    return program.said;
  };
  const heartbeats: number[] = [];
  const server = parent === "here" ? await answerHeartbeats(`${folder}/4.vsock`, heartbeats) : undefined;
  try {
    ended.push(...(await startVsock(tools, folder, parent === "beside" ? [3, 4] : [4], everything.signal)));
    if (parent === "beside") await run(tools.qemu, parentMachine(tools, folder), /parent: ready/);
    return { console: await run(tools.qemu, enclaveMachine(tools, folder, eif), marker), heartbeats };
  } finally {
    everything.abort();
    await Promise.allSettled(ended);
    server?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Started {
  /** What it had said when it had said what was wanted. */
  readonly said: Promise<string>;
  /** Settles when the process is gone. */
  readonly ended: Promise<unknown>;
}

function start(
  { command, args: first }: Tool,
  args: readonly string[],
  wanted: RegExp,
  folder: string,
  cancelSignal: AbortSignal,
): Started {
  const ended = execa("timeout", [...limit(SECONDS), command, ...first, ...args], {
    // QEMU writes an image's parts there.
    env: { TMPDIR: folder },
    ...UNTIL_CANCELLED,
    buffer: false,
    cancelSignal,
  });
  const said = new Promise<string>((resolve, reject) => {
    let text = "";
    ended.all.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1").replaceAll("\r", "");
      if (wanted.test(text)) resolve(text);
    });
    const give = (): void => reject(new Error(`ended or ${SECONDS} s passed without ${wanted}:\n${text}`));
    ended.then(give, give);
  });
  return { said, ended };
}

/** Starts the device that carries vsock between machines and this process, and waits for its sockets. */
async function startVsock(
  { vsock }: NitroTools,
  folder: string,
  guests: readonly number[],
  cancelSignal: AbortSignal,
): Promise<Promise<unknown>[]> {
  const machines = guests.flatMap((cid) => [
    "--vm",
    `guest-cid=${cid},socket=${folder}/${cid}.socket,uds-path=${folder}/${cid}.vsock`,
  ]);
  const device = execa("timeout", [...limit(2 * SECONDS), vsock.command, ...vsock.args, ...machines], {
    ...UNTIL_CANCELLED,
    cancelSignal,
  });
  const seen = { end: false };
  void device.finally(() => {
    seen.end = true;
  });
  for (let waited = 0; ; waited += 50) {
    if (guests.every((cid) => existsSync(`${folder}/${cid}.socket`))) return [device];
    if (waited > 20_000 || seen.end) throw new Error("the vsock device made no socket in 20 s");
    await sleep(50);
  }
}

/** A guest's connection to port 9000 of number 2 comes as one to `<socket>_9000`. */
async function answerHeartbeats(socket: string, heartbeats: number[]): Promise<Server> {
  const server = createServer((connection) => {
    connection.on("error", () => connection.destroy());
    connection.on("data", (bytes) => {
      heartbeats.push(...bytes);
      connection.end(bytes);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(`${socket}_${HEARTBEAT_PORT}`, resolve);
  });
  return server;
}

function enclaveMachine({ qemu }: NitroTools, folder: string, eif: string): string[] {
  const identity = `id=${PARENT.module},parent-role=${PARENT.role},parent-id=${PARENT.instance}`;
  return [
    ...["-M", `nitro-enclave,vsock=c,${identity},accel=tcg`, "-L", path.join(qemu.folder, "share")],
    ...["-m", "512M", "-smp", "2", "-cpu", "max", "-kernel", eif, "-nographic", "-no-reboot"],
    ...["-chardev", `socket,id=c,path=${folder}/4.socket`],
  ];
}

function parentMachine({ qemu, kernel, parent }: NitroTools, folder: string): string[] {
  return [
    ...["-M", "microvm,accel=tcg,acpi=off,memory-backend=m", "-L", path.join(qemu.folder, "share")],
    ...["-object", "memory-backend-memfd,id=m,size=128M,share=on", "-m", "128M", "-cpu", "max"],
    ...["-kernel", kernel, "-initrd", parent, "-append", "console=ttyS0 panic=-1 reboot=t"],
    ...["-chardev", `socket,id=c,path=${folder}/3.socket`, "-device", "vhost-user-vsock-device,chardev=c"],
    ...["-nographic", "-no-reboot"],
  ];
}

/** The command lines of our programs that still run: a boot leaves none. */
export async function findLeftovers({ qemu, vsock }: NitroTools): Promise<string[]> {
  const { stdout } = await execa("ps", ["-eo", "args="]);
  return stdout.split("\n").filter((line) => line.includes(qemu.folder) || line.includes(vsock.folder));
}
