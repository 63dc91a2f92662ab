/**
 * Evidence against a log: two checkpoints that should not both be. Unlike other files it proves what it says, so it is
 * verified here; whether the key in it is the log's is for the reader to know.
 * @module
 */
import { formatHex, parseVkey } from "@bootproof/bytes";
import {
  EVIDENCE_FIRST_LINE,
  judgeLogEvidence,
  LogError,
  parseLogEvidence,
  type EvidenceVerdict,
  type SignedCheckpoint,
} from "@bootproof/log";

import { EXIT } from "../frame/exit-code.ts";
import { formatFields } from "../report/table.ts";
import { type Inspector, startsWith } from "./inspection.ts";

/** Evidence against a log. */
export const inspectEvidence: Inspector = (bytes) => {
  if (!startsWith(bytes, EVIDENCE_FIRST_LINE)) return undefined;
  const evidence = parseLogEvidence(bytes);
  const { vkey, otherVkey } = evidence;
  parseVkey(vkey);
  const keys = otherVkey === undefined ? { vkey } : { vkey, otherVkey };
  const kind = "log-evidence";
  const named: [string, string][] = [
    ["kind", "evidence against a log"],
    ["key", `${vkey} (compare it with the one that the log publishes)`],
  ];
  if (otherVkey !== undefined)
    named.push(["other key", `${otherVkey} (it proves something only if both are the log's)`]);
  let verdict: EvidenceVerdict;
  try {
    verdict = judgeLogEvidence(evidence);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    const shows = `nothing: ${error.message}`;
    const document = { ...keys, outcome: "invalid", reason: error.message };
    return { kind, text: formatFields([...named, ["shows", shows]]), document, judged: EXIT.no };
  }
  const { seen, shown, outcome, prefixRoot } = verdict;
  const fields: [string, string][] = [
    ["log", seen.origin],
    ["seen first", `size ${seen.size}, root ${formatHex(seen.root)}`],
    ["shown then", `size ${shown.size}, root ${formatHex(shown.root)}`],
    ["shows", wordsOf(verdict, otherVkey === undefined ? "this key" : "these keys")],
  ];
  const document = {
    ...keys,
    origin: seen.origin,
    outcome,
    seen: documentOf(seen),
    shown: documentOf(shown),
    ...(prefixRoot === undefined ? {} : { prefixRoot: formatHex(prefixRoot) }),
  };
  const judged = outcome === "no contradiction" ? EXIT.undecided : EXIT.yes;
  return { kind, text: formatFields([...named, ...fields]), document, judged };
};

function wordsOf({ outcome, seen, shown, prefixRoot }: EvidenceVerdict, who: string): string {
  const [smaller, larger] = seen.size <= shown.size ? [seen, shown] : [shown, seen];
  switch (outcome) {
    case "two roots":
      return `the log forked: ${who} signed two trees of one size`;
    case "another beginning": {
      const root = prefixRoot === undefined ? "" : formatHex(prefixRoot);
      return `the log forked: the tree of ${larger.size} entries has at size ${smaller.size} the root ${root}`;
    }
    case "no contradiction":
      return seen.size > shown.size
        ? "the log shrank, if the checkpoints were seen in this order; the two do not contradict each other"
        : "nothing: the two checkpoints do not contradict each other";
  }
}

const documentOf = ({ size, root, note }: SignedCheckpoint): object => ({
  size: Number(size),
  root: formatHex(root),
  checkpoint: new TextDecoder().decode(note),
});
