/**
 * An OCI image whose layers have all that people get wrong: whiteouts, an opaque folder, hard links within a layer and
 * to a lower one, setuid, setgid and sticky bits, owners, links. Its program reports what became of them.
 * @module
 */
import { concatBytes, utf8 } from "@bootproof/bytes";
import { writeLayoutOfTars } from "../../e2e/oci-layout.ts";
import type { SeenFile } from "./report.ts";

interface TarEntry {
  readonly name: string;
  readonly type: "file" | "folder" | "hard link" | "symbolic link";
  readonly mode: number;
  readonly owner?: readonly [number, number];
  readonly target?: string;
  readonly content?: Uint8Array;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: "0", "hard link": "1", "symbolic link": "2", folder: "5" } as const;

/** A ustar archive, as a layer has it. */
function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? new Uint8Array();
    const padding = new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK);
    return [tarHeader(entry, content.length), content, padding];
  });
  return concatBytes(...parts, new Uint8Array(2 * BLOCK));
}

function tarHeader({ name, type, mode, owner = [0, 0], target = "" }: TarEntry, size: number): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (offset: number, text: string): void => header.set(utf8(text), offset);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, octal(mode, 7));
  put(108, octal(owner[0], 7));
  put(116, octal(owner[1], 7));
  put(124, octal(size, 11));
  put(136, octal(1_700_000_000, 11));
  put(148, " ".repeat(8));
  put(156, TYPE_FLAGS[type]);
  put(157, target);
  put(257, "ustar");
  put(263, "00");
  put(
    148,
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    ),
  );
  header[154] = 0;
  return header;
}

const file = (
  name: string,
  mode: number,
  content: Uint8Array | string,
  owner?: [number, number],
): TarEntry => ({
  name,
  type: "file",
  mode,
  content: typeof content === "string" ? utf8(content) : content,
  ...(owner && { owner }),
});
const folder = (name: string, mode: number): TarEntry => ({ name, type: "folder", mode });
const link = (name: string, target: string): TarEntry => ({ name, type: "hard link", mode: 0o644, target });

function layers(report: Uint8Array): TarEntry[][] {
  return [
    [
      // Setuid: the report says that it runs as root though the image's user is another.
      file("report", 0o4755, report),
      folder("data", 0o755),
      file("data/kept", 0o644, "kept"),
      file("data/removed", 0o644, "removed"),
      file("data/replaced", 0o600, "old"),
      file("data/owned", 0o640, "owned", [1000, 1001]),
      file("data/setgid", 0o2755, "setgid"),
      folder("data/sticky", 0o1777),
      file("data/first", 0o644, "linked"),
      link("data/second", "data/first"),
      { name: "data/symbolic", type: "symbolic link", mode: 0o777, target: "kept" },
      folder("old", 0o755),
      file("old/gone", 0o644, "gone"),
      folder("tree", 0o755),
      file("tree/leaf", 0o644, "leaf"),
    ],
    [
      file("data/.wh.removed", 0o644, ""),
      file("data/replaced", 0o644, "new"),
      link("data/third", "data/first"),
      folder("old", 0o700),
      file("old/.wh..wh..opq", 0o644, ""),
      file("old/fresh", 0o644, "fresh"),
      file(".wh.tree", 0o644, ""),
    ],
  ];
}

/** What the guest must see: the parts of {@link SeenFile} that an image decides. */
export const EXPECTED_FILES: Readonly<Record<string, Partial<Exclude<SeenFile, "absent">> | "absent">> = {
  "/report": { mode: "104755", owner: "0:0" },
  "/data/kept": { mode: "100644", content: hex("kept") },
  "/data/removed": "absent",
  "/data/.wh.removed": "absent",
  "/data/replaced": { mode: "100644", content: hex("new") },
  "/data/owned": { mode: "100640", owner: "1000:1001", content: hex("owned") },
  "/data/setgid": { mode: "102755" },
  "/data/sticky": { mode: "41777" },
  "/data/first": { links: "3", content: hex("linked") },
  "/data/second": { links: "3", content: hex("linked") },
  "/data/third": { links: "3", content: hex("linked") },
  "/data/symbolic": { mode: "120777", content: hex("kept") },
  "/old": { mode: "40700" },
  "/old/gone": "absent",
  "/old/fresh": { content: hex("fresh") },
  "/tree": "absent",
};

/** What the image's configuration says, and the guest must see. */
export const EXPECTED_PROCESS = {
  user: "1000:1001 effective 0",
  folder: "/data",
  variables: ["PLACE=image", "PATH=/bin"],
} as const;

function hex(text: string): string {
  return Buffer.from(text, "utf8").toString("hex");
}

/** Writes the image as an OCI layout; returns its digest. */
export function writeImage(layout: string, report: Uint8Array): Promise<string> {
  const tars = layers(report).map((entries) => tar(entries));
  return writeLayoutOfTars(layout, tars, {
    Entrypoint: ["/report"],
    Cmd: Object.keys(EXPECTED_FILES),
    Env: [...EXPECTED_PROCESS.variables],
    WorkingDir: EXPECTED_PROCESS.folder,
    User: "1000:1001",
  });
}
