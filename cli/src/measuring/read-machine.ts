/**
 * A guest read from what its machine is started with: a QEMU command line, a libvirt domain, a Kata configuration.
 * @module
 */
import { stat } from "node:fs/promises";

import { utf8 } from "@bootproof/bytes";
import {
  type GivenParts,
  type MachineShape,
  parseKataConfiguration,
  parseLibvirtDomain,
  parseQemuCommandLine,
  toShape,
} from "@bootproof/measure/machine";

import { reading } from "../errors/reading.ts";
import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import { readInput } from "../frame/files.ts";
import type { GuestRequest } from "./guest-request.ts";
import type { MachineOption, ReadGuest } from "./read-guest.ts";

/** A definition of any sensible size is far below. */
const MAX_DEFINITION = 1 << 22;

const PARSERS = {
  fromQemu: parseQemuCommandLine,
  fromLibvirt: parseLibvirtDomain,
  fromKata: parseKataConfiguration,
} as const;

/** Completes a request from a machine's definition; throws a failure that lists what is missing or stops it. */
export async function readMachine(
  option: MachineOption,
  value: string,
  request: GuestRequest,
): Promise<ReadGuest> {
  const { name, bytes } = await readDefinition(option, value);
  const description = reading(name, () => PARSERS[option](bytes));
  const shape = toShape(description, givenParts(request));
  if (!shape.ready) throw notReady(name, shape);
  return {
    guest: complete(request, shape),
    notes: description.notes.map(({ code, found, means }) => `${found}: ${means} (${code})`),
  };
}

/** A QEMU command is typed as one word of several, or stands in a file; the others are files. */
async function readDefinition(
  option: MachineOption,
  value: string,
): Promise<{ name: string; bytes: Uint8Array }> {
  const typed = option === "fromQemu" && /\s/.test(value) && !(await isFile(value));
  if (typed) return { name: "--from-qemu", bytes: utf8(value) };
  return { name: value, bytes: await readInput(value, MAX_DEFINITION) };
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

function givenParts(request: GuestRequest): GivenParts {
  const { axes, firmware, igvm, kernel, initrd } = request;
  return {
    ...axes.cpus[0],
    ...(axes.vcpus[0] !== undefined && { vcpus: axes.vcpus[0] }),
    ...(axes.guestFeatures[0] !== undefined && { guestFeatures: axes.guestFeatures[0] }),
    firmware,
    igvm,
    kernel,
    initrd,
    cmdline: request.append ?? (request.appendFile === undefined ? undefined : ""),
  };
}

function complete(request: GuestRequest, { platform, shape, files, cmdline }: ReadyShape): GuestRequest {
  const { axes } = request;
  const { cpu, family, model, stepping, vcpus, guestFeatures, profile } = shape;
  const cpus = cpu === undefined && family === undefined ? [] : [{ cpu, family, model, stepping }];
  return {
    ...request,
    platform,
    firmware: request.firmware ?? files.firmware,
    igvm: request.igvm ?? files.igvm,
    kernel: request.kernel ?? files.kernel,
    initrd: request.initrd ?? files.initrd,
    append: request.append ?? (request.appendFile === undefined ? cmdline : undefined),
    axes: {
      ...axes,
      profiles: axes.profiles ?? (profile === undefined || axes.vmm !== undefined ? undefined : [profile]),
      vcpus: axes.vcpus.length > 0 ? axes.vcpus : [vcpus],
      cpus: axes.cpus.length > 0 ? axes.cpus : cpus,
      guestFeatures:
        axes.guestFeatures.length > 0 || guestFeatures === undefined ? axes.guestFeatures : [guestFeatures],
    },
  };
}

type ReadyShape = Extract<MachineShape, { ready: true }>;

function notReady(file: string, { missing, stops }: Exclude<MachineShape, ReadyShape>): Failure {
  const issues = [
    ...stops.map(({ found, means, code }) => `${found}: ${means} (${code})`),
    ...missing.map(({ what, why, give }) => `${what}: ${why}; ${give}`),
  ];
  return new Failure("BP-MACHINE-006", EXIT.undecided, "describes no guest that can be measured", {
    file,
    issues,
  });
}
