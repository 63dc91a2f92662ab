/**
 * A lock that only one process at a time can hold and that none can leave behind: flock(2) on a file that this process
 * keeps open, so the kernel gives it up when the process ends, by kill -9 too. It binds all processes of one machine,
 * in whatever containers, and on NFS all that mount it; no process id is written or compared.
 *
 * Node has no flock, so the program of util-linux (or busybox) takes the lock on our open file and exits; the lock
 * belongs to the open file and stays ours.
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, open } from "node:fs";
import { promisify } from "node:util";
import { StoreError, system, systemError } from "./store-error.ts";

/** Descriptor under which the program finds the file. */
const LOCK_FD = 3;
/** Its exit status when another process holds the lock. */
const HELD = 1;

/** A lock that this process holds. */
export class FileLock {
  // A number and not a FileHandle, which the garbage collector would close.
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes the lock on `path`, making the file when absent; undefined, at once, when it is held. */
  static async take(path: string): Promise<FileLock | undefined> {
    const fd = await system("open", path, promisify(open)(path, "a", 0o600));
    try {
      const status = await lockOpenFile(fd, path);
      if (status === 0) return new FileLock(fd);
      if (status !== HELD)
        throw new StoreError("BP-STORE-010", `cannot lock ${path}: flock ended with ${status}`, {
          file: path,
          hint: "does the file system know flock(2)?",
        });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /** Gives the lock up. */
  release(): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    return Promise.resolve();
  }
}

function lockOpenFile(fd: number, path: string): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["-n", String(LOCK_FD)], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", (cause) => {
      const error = new Error("the program flock (util-linux) is needed", { cause });
      reject(systemError("lock", path, error));
    });
    child.once("exit", (code, signal) => {
      resolve(code ?? signal ?? "unknown");
    });
  });
}
