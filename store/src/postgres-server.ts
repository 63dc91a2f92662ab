/**
 * A PostgreSQL server of one's own in a folder of its own, for tests and for trying a log out: the programs of Debian's
 * package postgresql, a Unix socket, a random password, fsync on. It ends with this process.
 * @module
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How the server is to be. */
export interface PostgresServerOptions {
  /** Listens on a port of 127.0.0.1 too, for whoever wants to stand between. */
  readonly tcp?: boolean;
  /** Further settings, such as `{ synchronous_commit: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running server. */
export interface PostgresServer {
  /** Over its Unix socket, without the password. */
  readonly url: string;
  /** Over 127.0.0.1; undefined unless asked for. */
  readonly tcpUrl: string | undefined;
  readonly password: string;
  /** What a process needs in its environment to connect. */
  readonly env: { readonly PGPASSWORD: string };
  /** Ends it in order, sessions cut off, and removes its folder. */
  stop(): Promise<void>;
  /** Kills all its processes as a crash would; {@link PostgresServer.restart} brings it back. */
  kill9(): Promise<void>;
  /** Starts it again, after ending it in order if it runs, with further settings. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
}

const PROGRAMS = "/usr/lib/postgresql";
const PORT = 5432;
const START = 60_000;

/** Makes a database cluster and starts its server; throws when this machine has no PostgreSQL. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const programs = await findPrograms();
  const owner = await findOwner();
  const folder = await mkdtemp(join(tmpdir(), "bootproof-postgres-"));
  const data = join(folder, "data");
  await mkdir(data, { mode: 0o700 });
  const password = randomBytes(16).toString("hex");
  await writeFile(join(folder, "password"), password, { mode: 0o600 });
  if (owner !== undefined)
    for (const path of [folder, data, join(folder, "password")]) await chown(path, owner.uid, owner.gid);
  await chmod(folder, 0o700);
  const init = ["-D", data, "-U", "bootproof", "-A", "scram-sha-256", "--pwfile", join(folder, "password")];
  await run(join(programs, "initdb"), [...init, "-E", "UTF8", "--locale=C", "-N"], { cwd: folder, ...owner });
  const port = options.tcp === true ? await freePort() : PORT;
  const cluster = new Cluster(join(programs, "postgres"), folder, owner, {
    listen_addresses: options.tcp === true ? "127.0.0.1" : "",
    port: String(port),
    unix_socket_directories: folder,
    fsync: "on",
    ...options.settings,
  });
  await cluster.start();
  return {
    url: `postgres://bootproof@${encodeURIComponent(folder)}:${port}/postgres`,
    tcpUrl: options.tcp === true ? `postgres://bootproof@127.0.0.1:${port}/postgres` : undefined,
    password,
    env: { PGPASSWORD: password },
    stop: () => cluster.remove(),
    kill9: () => cluster.kill(),
    async restart(settings) {
      await cluster.stop();
      await cluster.start(settings);
    },
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One cluster's server process. */
class Cluster {
  readonly #program: string;
  readonly #folder: string;
  readonly #owner: Owner | undefined;
  #settings: Readonly<Record<string, string>>;
  #server: ChildProcess | undefined;
  readonly #onExit = (): void => void this.#server?.kill("SIGQUIT");

  constructor(
    program: string,
    folder: string,
    owner: Owner | undefined,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#program = program;
    this.#folder = folder;
    this.#owner = owner;
    this.#settings = settings;
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#settings = { ...this.#settings, ...settings };
    const assignments = Object.entries(this.#settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const log = await open(join(this.#folder, "log"), "a");
    // setpriv asks the kernel to end the server when this process is gone, however it went.
    const command = ["--pdeathsig", "QUIT", this.#program, "-D", join(this.#folder, "data"), ...assignments];
    const server = spawn("setpriv", command, {
      cwd: this.#folder,
      stdio: ["ignore", log.fd, log.fd],
      ...this.#owner,
    });
    await log.close();
    this.#server = server;
    process.on("exit", this.#onExit);
    const deadline = Date.now() + START;
    while (!(await this.#isReady(server.pid))) {
      if (server.exitCode !== null || server.signalCode !== null || Date.now() > deadline)
        throw new Error(`PostgreSQL does not start:\n${await readFile(join(this.#folder, "log"), "utf8")}`);
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    await this.#end(() => this.#server?.kill("SIGINT")); // "fast": sessions are cut off, then all is written
  }

  async kill(): Promise<void> {
    await this.#end(async () => {
      const parent = this.#server?.pid;
      if (parent === undefined) return;
      const children = await childrenOf(parent);
      for (const pid of [parent, ...children]) killIfThere(pid);
      while ((await childrenOf(parent)).length > 0 || children.some(isAlive)) await sleep(5);
    });
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(end: () => unknown): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const isGone = server.exitCode !== null || server.signalCode !== null;
    const gone = isGone ? undefined : once(server, "exit");
    await end();
    await gone;
    this.#server = undefined;
    process.off("exit", this.#onExit);
  }

  /** The server writes its process id and "ready" into a file. */
  async #isReady(pid: number | undefined): Promise<boolean> {
    const text = await readFile(join(this.#folder, "data", "postmaster.pid"), "utf8").catch(() => "");
    const lines = text.split("\n");
    return lines[0] === String(pid) && lines[7]?.trim() === "ready";
  }
}

async function findPrograms(): Promise<string> {
  const versions = await readdir(PROGRAMS).catch(() => []);
  const [newest] = versions
    .filter((version) => existsSync(join(PROGRAMS, version, "bin", "postgres")))
    .sort((a, b) => Number(b) - Number(a));
  if (newest !== undefined) return join(PROGRAMS, newest, "bin");
  throw new Error("there is no PostgreSQL server on this machine: apt-get install postgresql");
}

/** PostgreSQL refuses to run as root. */
async function findOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  if (found === undefined) throw new Error("neither a user postgres nor nobody to run PostgreSQL as");
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(parentOf));
  return pids.filter((_, at) => parents[at] === parent);
}

async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [, state, parent] = /\) (\S) ([0-9]+) /.exec(stat) ?? [];
  return state === undefined || state === "Z" ? undefined : Number(parent);
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself when its parent did.
  }
}
