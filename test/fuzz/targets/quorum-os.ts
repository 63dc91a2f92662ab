/**
 * QuorumOS manifests through their reader: what it takes from Borsh is written back to the same bytes' hash, and a
 * changed manifest never keeps the hash that members signed.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { formatHex, ParseError, sha256 } from "@bootproof/bytes";
import {
  checkApprovals,
  manifestHash,
  parseQuorumFile,
  type QuorumFile,
} from "@bootproof/statement/quorum-os";
import { mutateBytes } from "../mutate.ts";
import { attempt, Complaint, type Target } from "../target.ts";

const folder = path.resolve(import.meta.dirname, "../../../statement/vectors/quorum-os");
const FILES = readdirSync(folder)
  .filter((name) => name.endsWith(".bin"))
  .sort()
  .map((name) => new Uint8Array(readFileSync(path.join(folder, name))));

/** Manifests and envelopes from the wild, changed as bytes. */
export const quorumOs: Target = {
  name: "quorum-os",
  about: "QuorumOS manifests through parseQuorumFile, manifestHash and checkApprovals",
  limit: 500,
  makeCase(random) {
    const start = random.pick(FILES).slice();
    const bytes = mutateBytes(start, random, FILES);
    return {
      bytes,
      given: "parseQuorumFile",
      run: () =>
        attempt(
          (error) => error instanceof ParseError,
          () => parseQuorumFile(bytes),
        ),
      judge: (answer) => {
        if (answer === undefined) return "refused";
        judge(bytes, answer as QuorumFile);
        return "accepted";
      },
    };
  },
};

function judge(bytes: Uint8Array, { kind, form, manifest, envelope }: QuorumFile): void {
  const hash = formatHex(manifestHash(manifest));
  if (form === "borsh" && kind === "manifest" && hash !== formatHex(sha256(bytes)))
    throw new Complaint(`a manifest in Borsh whose hash ${hash} is not of its bytes`);
  if (envelope === undefined) return;
  const approved = checkApprovals(envelope).every(({ answer }) => answer === "yes");
  // Approvals for the share set may change without a manifest set's approval changing.
  if (approved && !FILES.some((file) => hash === knownHash(file)))
    throw new Complaint("approvals that hold for another manifest");
}

const knownHash = (file: Uint8Array): string => formatHex(manifestHash(parseQuorumFile(file).manifest));
