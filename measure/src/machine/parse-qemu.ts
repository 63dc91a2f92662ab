/**
 * Reads a QEMU command line.
 * @module
 */
import { ParseError } from "@bootproof/bytes";

import { MeasureError } from "../measure-error.ts";
import { describeMachine } from "./describe-machine.ts";
import type { MachineDescription } from "./description.ts";
import { Findings } from "./notes.ts";
import { findQemuArguments, type QemuArguments, readAsPs } from "./qemu-command.ts";
import { type QemuConfiguration, readConfiguration } from "./qemu-configuration.ts";

/**
 * Describes the machine of a QEMU command line: a shell command or script, a line of `ps`, the bytes of
 * /proc/PID/cmdline, or the words themselves. Throws ParseError for text that has no words (an open quote, too long)
 * and MeasureError BP-MACHINE-001 to -003 for no QEMU command, one that a shell would expand, or values that QEMU refuses.
 */
export function parseQemuCommandLine(input: string | Uint8Array | readonly string[]): MachineDescription {
  const { command, configuration } = read(input);
  const findings = new Findings("qemu");
  noteLostQuotes(command, configuration, findings);
  return describeMachine(configuration, findings);
}

interface Reading {
  readonly command: QemuArguments;
  readonly configuration: QemuConfiguration;
}

function read(input: string | Uint8Array | readonly string[]): Reading {
  const command = findQemuArguments(input);
  const reading = { command, configuration: readConfiguration(command.words) };
  // QEMU takes one disk image without an option: no shell can have started such a line, so perhaps ps printed it.
  const lost = command.form === "shell" && reading.configuration.strays.length > 1;
  const asPs = lost && !command.text.trim().includes("\n") ? readPs(command.text) : undefined;
  return asPs ?? reading;
}

/** The line as ps prints it, if that makes sense of all its words. */
function readPs(text: string): Reading | undefined {
  try {
    const command = readAsPs(text);
    const configuration = readConfiguration(command.words);
    return configuration.strays.length > 1 ? undefined : { command, configuration };
  } catch (error) {
    if (error instanceof MeasureError || error instanceof ParseError) return undefined;
    throw error;
  }
}

function noteLostQuotes(
  { form, words }: QemuArguments,
  { strays, machine }: QemuConfiguration,
  findings: Findings,
): void {
  const cmdline = machine.get("append") ?? "";
  if (form === "ps" && words.some(({ text }) => text === cmdline) && /\s/.test(cmdline))
    findings.note(
      "BP-MACHINE-107",
      `-append ${cmdline}`,
      "ps prints no quotes: taken for the command line is all up to the next option; /proc/PID/cmdline is exact",
    );
  const [only] = strays;
  if (strays.length > 1)
    findings.stop(
      "BP-MACHINE-107",
      strays
        .map(({ word }) => word)
        .join(" ")
        .slice(0, 200),
      "these words belong to no option; if quotes were lost, give /proc/PID/cmdline",
    );
  else if (only?.after === "append" && form !== "exact")
    findings.stop(
      "BP-MACHINE-107",
      `${only.word} after the argument of -append`,
      "QEMU would take it for a disk image; quote the command line, or put the image before it",
    );
}
