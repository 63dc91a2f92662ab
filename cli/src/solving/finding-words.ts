/**
 * What the solver found, as the words that measure it: the user's own, with what differs changed.
 * @module
 */
import { equalBytes, formatHex, parseUtf8, ParseError } from "@bootproof/bytes";
import type { Match } from "@bootproof/measure/solve";

import { shellWord } from "../frame/typed.ts";
import type { GuestFiles } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import type { OvmfSpace } from "./ovmf-guest.ts";
import { cpuWords } from "./searched-guest.ts";

/** What the words are made from. */
export interface Searched {
  readonly request: GuestRequest;
  readonly space: OvmfSpace;
  /** Bytes of the variable store in front of the image; undefined when there is none. */
  readonly storeLength: number | undefined;
  readonly files: GuestFiles;
}

/** The words after `measure` for a match; undefined when nobody measures that way. */
export async function ovmfWords(searched: Searched, match: Match): Promise<string[] | undefined> {
  if (match.differences.some(({ input }) => input === "sections")) return undefined;
  const { profile } = searched.space.guess(match.choice);
  const plain = profile.platform === "sev-es" && match.rung === 0;
  return [
    plain ? "sev" : profile.platform,
    ...firmwareWords(searched, match),
    ...(await bootWords(searched, match)),
    ...(plain ? [] : shapeWords(searched, match)),
  ];
}

/** The inputs of a match for documents: what a measurement's shape says, and how the files are used. */
export function describeGuest(space: OvmfSpace, match: Match): object {
  const { profile, cpu, guestFeatures, loaded, kernelHashes, bootFiles, cmdline } = space.guess(match.choice);
  const measured = !space.ignored(match.choice, match.rung).has("cpu");
  return {
    profile: profile.name,
    vmm: profile.vmm,
    vcpus: match.rung,
    ...(measured && cpu.model !== undefined && { cpu: cpu.model }),
    ...(measured && { cpuSignature: `0x${cpu.signature.toString(16)}` }),
    guestFeatures: `0x${guestFeatures.toString(16)}`,
    firmware: loaded.name,
    ...(loaded.varsSize !== undefined && { varsSize: loaded.varsSize }),
    kernelHashes,
    ...(kernelHashes && { bootFiles }),
    ...(kernelHashes && cmdline.text !== undefined && { cmdline: formatHex(cmdline.text) }),
  };
}

function firmwareWords({ request, space, storeLength }: Searched, match: Match): string[] {
  const { firmware, firmwareDigest, regions, svsm, varsFile } = request;
  if (firmware === undefined)
    return regions.flatMap(({ guestAddress, path }) => [
      "--region",
      shellWord(`0x${guestAddress.toString(16)}:${path}`),
    ]);
  const { name, varsSize } = space.guess(match.choice).loaded;
  const path = shellWord(firmware);
  const images = {
    "code only": `<(tail -c +${(storeLength ?? 0) + 1} ${path})`,
    "with variable store": `<(cat ${shellWord(varsFile ?? "")} ${path})`,
  };
  return [
    "--ovmf",
    name in images ? images[name as keyof typeof images] : path,
    ...(firmwareDigest === undefined ? [] : ["--firmware-digest", formatHex(firmwareDigest)]),
    ...(svsm === undefined ? [] : ["--svsm", shellWord(svsm), "--vars-size", String(varsSize ?? 0)]),
  ];
}

async function bootWords({ request, space, files }: Searched, match: Match): Promise<string[]> {
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

function shapeWords({ request: { axes }, space }: Searched, match: Match): string[] {
  const { profile, cpu, guestFeatures } = space.guess(match.choice);
  const measured = profile.vmsa.rdx === "cpu signature";
  const named = axes.profiles !== undefined || match.differences.some(({ input }) => input === "profile");
  const vmm = axes.vmm === undefined ? [] : ["--vmm", shellWord(axes.vmm)];
  const usual = guestFeatures === profile.guestFeatures;
  return [
    "--vcpus",
    String(match.rung),
    ...(measured ? cpuWords(cpu) : []),
    ...(named ? ["--profile", profile.name] : vmm),
    ...(usual ? [] : ["--guest-features", `0x${guestFeatures.toString(16)}`]),
  ];
}
