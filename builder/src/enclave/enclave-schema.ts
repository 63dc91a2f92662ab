/**
 * The schema of `eif` in a recipe's output: from YAML values to {@link EnclaveImage}, strictly.
 * @module
 */
import * as v from "valibot";
import {
  commandLine,
  componentOutput,
  fileName,
  listOf,
  plainPath,
  sha256Text,
  urlName,
  urlText,
} from "../recipe-words.ts";
import { nearestWord } from "../suggestion.ts";
import { describe, strictKeys, text, word } from "../yaml-schema.ts";
import {
  ENCLAVE_ARCHITECTURES,
  type ComponentPart,
  type CpioPart,
  type EnclaveImage,
  type FilePart,
  type FolderPart,
  type ImagePart,
  type ImageSignature,
  type RamdiskPart,
  type UrlPart,
} from "./enclave.ts";

/** An EIF has at most 32 sections, and four of them are no ramdisks. */
const MAX_RAMDISKS = 28;
const MAX_WORDS = 1024;

// One line each in the files that init reads, so no line break; and no NUL, which ends a C string.
const argument = text(/^[^\0\n\r]{1,4096}$/u, "a word of one line");
const variables = v.pipe(
  v.record(
    text(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "a variable name"),
    text(/^[^\0\n\r]{0,4096}$/u, "text of one line"),
    (issue) => `expected a mapping, found ${describe(issue.input)}`,
  ),
  v.maxEntries(MAX_WORDS, `expected at most ${MAX_WORDS} variables`),
);

const processKeys = {
  env: v.optional(variables, {}),
  cwd: v.optional(text(/^\/[^\0\n\r]{0,4095}$/u, "an absolute path")),
  user: v.optional(
    text(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$/,
      'a user, or a user and a group, such as "1000:1000"',
    ),
  ),
} as const;
const words = listOf<string>(argument, MAX_WORDS);

const componentPart = v.pipe(
  componentOutput,
  v.transform((written): ComponentPart => {
    const [component = "", output = ""] = written.split("/");
    return { kind: "component", component, output };
  }),
);
const filePart = v.pipe(
  strictKeys({ file: plainPath }),
  v.transform(({ file }): FilePart => ({ kind: "file", path: file })),
);
const urlPart = v.pipe(
  strictKeys({ url: urlText, sha256: sha256Text, name: v.optional(fileName) }),
  v.transform(({ url, sha256, name }): UrlPart => ({ kind: "url", url, sha256, name: name ?? urlName(url) })),
);

/** `image: path`, or `image: {url, sha256}`. */
const imageFrom = v.lazy((input: unknown): v.GenericSchema<unknown, FilePart | UrlPart> =>
  typeof input === "object" && input !== null
    ? urlPart
    : v.pipe(
        plainPath,
        v.transform((path): FilePart => ({ kind: "file", path })),
      ),
);

const imagePart = v.pipe(
  strictKeys({
    image: imageFrom,
    digest: v.optional(text(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 lower-case hex digits")),
    argv: v.optional(word(["oci", "nitro-cli"]), "oci"),
    cmd: v.optional(words),
    ...processKeys,
  }),
  v.transform(({ image, digest, argv, cmd, env, cwd, user }): ImagePart => ({
    kind: "image",
    from: image,
    digest,
    argv,
    cmd,
    env,
    cwd,
    user,
  })),
);
const folderPart = v.pipe(
  strictKeys({ folder: plainPath, cmd: words, ...processKeys }),
  v.transform(({ folder, cmd, env, cwd, user }): FolderPart => ({
    kind: "folder",
    path: folder,
    cmd,
    env,
    cwd,
    user,
  })),
);

const cpioPart = v.pipe(
  strictKeys({ cpio: plainPath }),
  v.transform(({ cpio }): CpioPart => ({ kind: "cpio", path: cpio })),
);

const byKey = {
  file: filePart,
  url: urlPart,
  image: imagePart,
  folder: folderPart,
  cpio: cpioPart,
} as const;

/** A part is told by which of its keys it has. */
const partOf = <T>(schemas: Readonly<Partial<Record<string, v.GenericSchema<unknown, T>>>>) =>
  v.lazy((input: unknown): v.GenericSchema<unknown, T | ComponentPart> => {
    if (typeof input === "string") return componentPart;
    const keys = Object.keys(schemas);
    const given = typeof input === "object" && input !== null ? Object.keys(input) : [];
    const [known] = keys.filter((key) => given.includes(key));
    const schema = known === undefined ? undefined : schemas[known];
    if (schema !== undefined) return schema;
    const expected = `expected component/output or a mapping with one of the keys ${keys.join(", ")}`;
    const meant = given.map((key) => nearestWord(key, keys)).find((key) => key !== undefined);
    return v.never(meant === undefined ? expected : `${expected}; did you mean ${meant}?`);
  });

const kernelPart = partOf<FilePart | UrlPart>({ file: byKey.file, url: byKey.url });
const ramdiskPart = partOf<RamdiskPart>(byKey);

/** RFC 3339 with +00:00, as AWS's tools write it. */
const buildTime = text(
  /^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\+00:00$/,
  'a time such as "1970-01-01T00:00:00+00:00"',
);
const label = text(/^[\x20-\x7e]{1,200}$/, "at most 200 characters of printable ASCII");

const signature = v.pipe(
  strictKeys({ certificate: plainPath, file: plainPath }),
  v.transform(({ certificate, file }): ImageSignature => ({
    certificate: { kind: "file", path: certificate },
    signature: { kind: "file", path: file },
  })),
);

/** The value of `eif`. */
export const enclaveImage: v.GenericSchema<unknown, EnclaveImage> = v.pipe(
  strictKeys({
    architecture: v.optional(word(ENCLAVE_ARCHITECTURES), "x86_64"),
    kernel: kernelPart,
    cmdline: v.optional(commandLine),
    ramdisks: listOf<RamdiskPart>(ramdiskPart, MAX_RAMDISKS),
    name: v.optional(label),
    version: v.optional(label),
    buildTime: v.optional(buildTime),
    signature: v.optional(signature),
  }),
  v.transform(
    ({
      architecture,
      kernel,
      cmdline,
      ramdisks,
      name,
      version,
      buildTime: time,
      signature: signed,
    }): EnclaveImage => ({
      architecture,
      kernel,
      cmdline,
      ramdisks,
      name,
      version,
      buildTime: time,
      signature: signed,
    }),
  ),
);
