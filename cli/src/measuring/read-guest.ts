/**
 * A guest as options and, with `--from-...`, a machine's own definition name it.
 * @module
 */
import type { AmdPlatform } from "@bootproof/measure/snp";

import { type Given, usage } from "../frame/given.ts";
import { type GuestRequest, readGuestRequest } from "./guest-request.ts";

/** A guest, and what a person should know about how it was read. */
export interface ReadGuest {
  readonly guest: GuestRequest;
  readonly notes: readonly string[];
}

const SOURCES = ["fromQemu", "fromLibvirt", "fromKata"] as const;

/** Where a machine's definition comes from. */
export type MachineOption = (typeof SOURCES)[number];

/** Reads a guest; what is typed wins over what a machine's definition says. */
export async function readGuest(given: Given, platform: AmdPlatform): Promise<ReadGuest> {
  const named = SOURCES.filter((source) => given.text(source) !== undefined);
  const [source] = named;
  const guest = readGuestRequest(given, platform);
  if (source === undefined) return { guest, notes: [] };
  if (named.length > 1) throw usage("more than one of --from-qemu, --from-libvirt and --from-kata is given");
  const { readMachine } = await import("./read-machine.ts");
  return await readMachine(source, given.text(source) ?? "", guest);
}

/** Like {@link readGuest}, for an answer about one platform: a machine of another one is refused. */
export async function readGuestOf(given: Given, platform: AmdPlatform): Promise<ReadGuest> {
  const { platform: asked } = readGuestRequest(given, platform);
  const read = await readGuest(given, platform);
  if (read.guest.platform === asked) return read;
  throw usage(
    `the machine is a guest of ${read.guest.platform}, and ${asked} is asked for`,
    `bootproof measure ${read.guest.platform}`,
  );
}
