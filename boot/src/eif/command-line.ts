/**
 * What in the command line of an EIF surprises people.
 * @module
 */
import { commandLineNotes, parseCommandLine } from "../command-line.ts";
import type { EifFinding } from "./finding.ts";
import type { UntrustedEifSection } from "./layout.ts";

/** Parameters that keep a kernel from doing something, and whose absence nobody notices. */
const RESTRICTIONS = new Set([
  "apparmor",
  "dm-mod.create",
  "dm_verity.require_signatures",
  "enforcing",
  "evm",
  "ima_appraise",
  "ima_policy",
  "init_on_alloc",
  "init_on_free",
  "lockdown",
  "lsm",
  "mitigations",
  "module.sig_enforce",
  "roothash",
  "security",
  "selinux",
]);

/** What there is to know about the command line's bytes. */
export function judgeCommandLine(
  bytes: Uint8Array,
  section: UntrustedEifSection,
  index: number,
): EifFinding[] {
  const finding = (code: EifFinding["code"], message: string, at: number): EifFinding => ({
    code,
    severity: "notice",
    message,
    section: index,
    offset: section.offset + at,
  });
  const notes = commandLineNotes(bytes).map((message) =>
    finding("BP-EIF-025", message, message.includes("NUL") ? bytes.indexOf(0) : 0),
  );
  const strange = bytes.findIndex((byte) => byte >= 0x7f || (byte < 0x20 && byte !== 0 && byte !== 0x0a));
  if (strange !== -1)
    notes.push(finding("BP-EIF-025", "the command line holds a byte that is not printable ASCII", strange));
  const names = restrictions(bytes);
  if (names.length > 0)
    notes.push(
      finding(
        "BP-EIF-026",
        `${names.join(", ")}: no PCR fixes where the command line starts, so such parameters belong into the kernel (CONFIG_CMDLINE) or init`,
        0,
      ),
    );
  return notes;
}

function restrictions(bytes: Uint8Array): string[] {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const names = parseCommandLine(text).map(({ name }) => name);
  return [...new Set(names)].filter((name) => RESTRICTIONS.has(name));
}
