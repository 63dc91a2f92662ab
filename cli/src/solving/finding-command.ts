/**
 * The command that measures what the solver found: the user's own, with what differs changed.
 * @module
 */
import type { Match } from "@bootproof/measure/solve";
import { equalBytes, parseUtf8, ParseError } from "@bootproof/bytes";

import { shellWord } from "../frame/typed.ts";
import type { GuestFiles } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import type { SearchedGuest } from "./search-guest.ts";

/** The command for a match; undefined when no machine reports the digest, or nobody measures that way. */
export async function findingCommand(
  command: string,
  request: GuestRequest,
  guest: SearchedGuest,
  match: Match,
  files: GuestFiles,
): Promise<string | undefined> {
  const odd = match.differences.some(({ input }) => input === "sections");
  if (match.tools.length > 0 || odd) return undefined;
  const { profile } = guest.space.guess(match.choice);
  const plain = profile.platform === "sev-es" && match.rung === 0;
  const words = [
    command,
    "measure",
    plain ? "sev" : profile.platform,
    ...firmwareWords(request, guest, match),
    ...(await bootWords(request, guest, match, files)),
    ...(plain ? [] : shapeWords(request, guest, match)),
  ];
  return words.join(" ");
}

function firmwareWords(request: GuestRequest, { space, storeLength }: SearchedGuest, match: Match): string[] {
  const path = shellWord(request.firmware ?? "");
  const digest = request.firmwareDigest;
  const given = digest === undefined ? [] : ["--firmware-digest", Buffer.from(digest).toString("hex")];
  switch (space.guess(match.choice).loaded.name) {
    case "code only":
      return ["--ovmf", `<(tail -c +${(storeLength ?? 0) + 1} ${path})`];
    case "with variable store":
      return ["--ovmf", `<(cat ${shellWord(request.varsFile ?? "")} ${path})`];
    default:
      return ["--ovmf", path, ...given];
  }
}

async function bootWords(
  request: GuestRequest,
  { space }: SearchedGuest,
  match: Match,
  files: GuestFiles,
): Promise<string[]> {
  const { kernel, initrd } = request;
  if (kernel === undefined) return [];
  const { kernelHashes, bootFiles, cmdline } = space.guess(match.choice);
  if (!kernelHashes) return ["--kernel", shellWord(kernel), "--no-kernel-hashes"];
  const [first, second] = bootFiles === "swapped" ? [initrd, kernel] : [kernel, initrd];
  const hasInitrd = bootFiles === "as given" || bootFiles === "swapped";
  return [
    ...(first === undefined ? [] : ["--kernel", shellWord(first)]),
    ...(hasInitrd && second !== undefined ? ["--initrd", shellWord(second)] : []),
    ...(bootFiles === "kernel alone"
      ? []
      : await cmdlineWords(request, cmdline.text ?? new Uint8Array(), files)),
  ];
}

async function cmdlineWords(
  { appendFile }: GuestRequest,
  text: Uint8Array,
  files: GuestFiles,
): Promise<string[]> {
  if (appendFile !== undefined && equalBytes(await files.bytes(appendFile), text))
    return ["--append-file", shellWord(appendFile)];
  return text.length === 0 ? [] : typedBytes(text);
}

/** Text as a shell passes it on; bytes that no argument can hold go through a pipe. */
function typedBytes(bytes: Uint8Array): string[] {
  const text = asText(bytes);
  if (text !== undefined && !/[\u0000-\u001f\u007f]/.test(text)) return ["--append", quoted(text)];
  const escaped = Array.from(bytes, escapeByte).join("");
  return bytes.includes(0)
    ? ["--append-file", `<(printf '${escaped.replaceAll("%", "%%")}')`]
    : ["--append", `$'${escaped}'`];
}

const NAMED: ReadonlyMap<number, string> = new Map([
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x27, "\\047"],
  [0x5c, "\\\\"],
]);

/** One byte inside `$'...'` or printf's format. */
function escapeByte(byte: number): string {
  const named = NAMED.get(byte);
  if (named !== undefined) return named;
  const plain = byte >= 0x20 && byte < 0x7f;
  return plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
}

function asText(bytes: Uint8Array): string | undefined {
  try {
    return parseUtf8(bytes, "command line");
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function shapeWords({ axes }: GuestRequest, { space }: SearchedGuest, match: Match): string[] {
  const { profile, cpu, guestFeatures } = space.guess(match.choice);
  const measured = profile.vmsa.rdx === "cpu signature";
  const named = axes.profiles !== undefined || match.differences.some(({ input }) => input === "profile");
  const vmm = axes.vmm === undefined ? [] : ["--vmm", shellWord(axes.vmm)];
  return [
    "--vcpus",
    String(match.rung),
    ...(measured ? cpuWords(cpu) : []),
    ...(named ? ["--profile", profile.name] : vmm),
    ...(guestFeatures === profile.guestFeatures
      ? []
      : ["--guest-features", `0x${guestFeatures.toString(16)}`]),
  ];
}

function cpuWords({ model, signature }: { model?: string | undefined; signature: number }): string[] {
  return model === undefined
    ? ["--vcpu-sig", `0x${signature.toString(16)}`]
    : ["--vcpu-type", shellWord(model)];
}
