/**
 * The files that a guest's options name.
 * @module
 */
import { formatHex, sha256, utf8 } from "@bootproof/bytes";
import type { HashedBootInputs } from "@bootproof/measure/snp";

import { usage } from "../frame/given.ts";
import type { GuestFiles, GuestInput } from "./guest-files.ts";
import type { GuestRequest } from "./guest-request.ts";

/** Linux reads 2 KiB of it, and QEMU has no limit of its own. */
const MAX_COMMAND_LINE = 1 << 24;

/** The files of a direct boot; the initrd, which may be larger than memory, by its hash. */
export async function readBoot(files: GuestFiles, request: GuestRequest): Promise<HashedBootInputs> {
  const { kernel, initrd, append, appendFile, kernelHashes } = request;
  return {
    kernel: kernel === undefined ? undefined : await files.bytes(kernel),
    initrd: initrd === undefined ? undefined : await files.hash(initrd),
    cmdline:
      appendFile === undefined
        ? append === undefined
          ? undefined
          : utf8(append)
        : await files.bytes(appendFile, MAX_COMMAND_LINE),
    kernelHashes,
  };
}

/** Every file of a guest that boots OVMF, as answers name it. */
export async function namedInputs(
  files: GuestFiles,
  { firmware, kernel, initrd, append, appendFile }: GuestRequest,
): Promise<GuestInput[]> {
  const named = Object.entries({ firmware, kernel, initrd, cmdline: appendFile });
  const inputs: GuestInput[] = [];
  for (const [role, path] of named) if (path !== undefined) inputs.push(await files.input(role, path));
  if (append !== undefined) inputs.push(typedInput("cmdline", append));
  return inputs;
}

/** A typed text as answers name it: explain finds in it what a hash does not show. */
function typedInput(role: string, text: string): GuestInput {
  const bytes = utf8(text);
  return { role, text, size: bytes.length, sha256: formatHex(sha256(bytes)) };
}

/** The firmware of a guest that boots OVMF. */
export function firmwarePath({ firmware }: GuestRequest): string {
  if (firmware === undefined)
    throw usage("no firmware is given", "give --ovmf, --igvm, or where the guest is described (--from-qemu)");
  return firmware;
}
