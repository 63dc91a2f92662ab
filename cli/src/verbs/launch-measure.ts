/**
 * `bootproof launch-measure`: the MAC by which the firmware tells the owner of a SEV or SEV-ES guest what it launched.
 * @module
 */
import { Option, type Command } from "commander";

import type { Frame } from "../frame/frame.ts";

const AFTER = `
The key is read from a file only: 16 bytes (TIK), or libvirt's 32 bytes (TEK, then TIK).
Version, build ID and policy: QEMU's query-sev shows them; its answer can be given as --query-sev FILE.

Example:
  bootproof measure sev --ovmf OVMF.fd --json --out m.json
  bootproof launch-measure verify --digest m.json --tk tk.bin --policy 0x3 \\
    --api-major 1 --api-minor 55 --build-id 37 --measurement JpQ/Ycjfux...`;

/** Defines `launch-measure make` and `verify`. */
export function defineLaunchMeasure(parent: Command, frame: Frame): void {
  const group = parent
    .command("launch-measure")
    .helpCommand(false)
    .description("make and verify the launch measure (MAC) of SEV and SEV-ES guests");
  const make = frame
    .verb(
      group,
      "make",
      "what the firmware would answer for a launch digest and a nonce",
      async (context, given) => (await import("../work/launch-measure.ts")).make(context, given),
    )
    .option("--nonce <bytes>", "the firmware's nonce (MNONCE): 16 bytes in hex or base64");
  const verify = frame
    .verb(
      group,
      "verify",
      "whether the firmware's answer is of the guest that is meant",
      async (context, given) => (await import("../work/launch-measure.ts")).verify(context, given),
    )
    .option("--measurement <blob>", "the answer of query-sev-launch-measure: base64, or a file with it");
  for (const command of [make, verify]) addInputs(command);
}

function addInputs(command: Command): void {
  command
    .option(
      "--digest <digest>",
      "the launch digest: hex, base64, or a file with it or with the JSON of measure sev",
    )
    .option("--tik <file>", "the transport integrity key, 16 bytes; or 32 bytes as with --tk")
    .option("--tk <file>", "libvirt's key file: transport encryption key, then transport integrity key")
    .option("--policy <policy>", "the guest's policy: a number, or names as in nodbg,noks,es")
    .option("--api-major <n>", "the firmware's API major version")
    .option("--api-minor <n>", "the firmware's API minor version")
    .option("--build-id <n>", "the firmware's build ID")
    .option("--query-sev <file>", "QEMU's answer to query-sev: versions, build ID and policy at once")
    .addOption(new Option("--launch-digest <digest>").hideHelp())
    .addHelpText("after", AFTER);
}
