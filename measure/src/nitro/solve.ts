/**
 * Which image gives these PCRs, when the one at hand does not? Known causes are tried, one register after another. The
 * search names what would match and never makes a yes of a no: `match` is for the image exactly as it is.
 * @module
 */
import { concatBytes, digestOf, formatHex, type HashAlgorithm } from "@bootproof/bytes";
import { arrangements, type Arrangement, cutElsewhere, type Piece, piecesOf } from "./arrangement.ts";
import { isDebug } from "./expected-pcrs.ts";
import type { PlannedSection } from "./section.ts";
import { certificateForms, instanceForms, roleForms, type ValueForm } from "./solve-values.ts";

/** The image and its parent, as they are thought to be. */
export interface SolvedImage {
  /** In file order. */
  readonly sections: readonly PlannedSection[];
  /** Bytes of the command line. */
  readonly cmdline?: Uint8Array | undefined;
  /** DER of every certificate in the signature's PEM. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  readonly pem?: Uint8Array | undefined;
  readonly roleArn?: string | undefined;
  readonly instanceId?: string | undefined;
  /** Bytes to hash at most before the search is left; the default takes half a minute or so. */
  readonly budget?: number | undefined;
  /** Hashes pieces, one after the other: from memory or from a file. */
  readonly digest: (pieces: readonly Piece[], algorithm: HashAlgorithm) => Promise<Uint8Array> | Uint8Array;
}

/** What became of one observed register. */
export interface SolvedRegister {
  readonly register: string;
  readonly observed: string;
  /** `given`: as predicted; `other`: explained by something else; `none`: by nothing that was tried; `open`: nobody said. */
  readonly answer: "given" | "other" | "none" | "open";
  /** What it is the value of, in words. */
  readonly what?: string;
  /** How that comes about. */
  readonly cause?: string;
  /** No enclave reports this value: a tool or a person made it. */
  readonly mistake?: boolean;
}

/** The answer. */
export interface NitroSolution {
  /** `match`: every register is as given; `other`: every one is explained, not all as given; `debug`: zeros; `none`. */
  readonly verdict: "match" | "other" | "debug" | "none";
  readonly registers: readonly SolvedRegister[];
  /** How many ways to put the image together were tried. */
  readonly tried: number;
  /** False when the search was left because the image is too large for all of them. */
  readonly complete: boolean;
}

/** Observed values by register in lower-case hex, as `parseObservedPcrs` reads them. */
export type ObservedPcrs = Readonly<Record<string, string>>;

const BUDGET = 2 ** 33;
const IMAGE = ["PCR1", "PCR2", "PCR0"] as const;
type ImagePcr = (typeof IMAGE)[number];
const ALGORITHMS: Readonly<Record<number, HashAlgorithm>> = { 64: "sha256", 96: "sha384", 128: "sha512" };

/** Searches the known causes. */
export async function solveNitro(observed: ObservedPcrs, image: SolvedImage): Promise<NitroSolution> {
  if (isDebug(observed))
    return { verdict: "debug", registers: debugRegisters(observed), tried: 0, complete: true };
  const wanted = IMAGE.filter((name) => observed[name] !== undefined);
  const { registers: found, ...search } = await solveImage(wanted, observed, image);
  const registers = Object.entries(observed).map(
    ([register, value]) => found.get(register) ?? solveOther(register, value, image),
  );
  registers.sort((a, b) => Number(a.register.slice(3)) - Number(b.register.slice(3)));
  return { verdict: judge(registers), registers, ...search };
}

function judge(registers: readonly SolvedRegister[]): NitroSolution["verdict"] {
  const asked = registers.filter(({ answer }) => answer !== "open");
  if (asked.length === 0 || asked.some(({ answer }) => answer === "none")) return "none";
  return asked.every(({ answer }) => answer === "given") ? "match" : "other";
}

const debugRegisters = (observed: ObservedPcrs): SolvedRegister[] =>
  Object.entries(observed).map(([register, value]) => ({
    register,
    observed: value,
    answer: "none",
    ...(/^0+$/.test(value) && { what: "zero, as every enclave in debug mode reports" }),
  }));

interface ImageSolution {
  readonly registers: ReadonlyMap<string, SolvedRegister>;
  readonly tried: number;
  readonly complete: boolean;
}

/** The first arrangement that gives all observed registers; else the one that gives most. */
async function solveImage(
  wanted: readonly ImagePcr[],
  observed: ObservedPcrs,
  image: SolvedImage,
): Promise<ImageSolution> {
  const values = new Values(image);
  let best: { arrangement: Arrangement; matches: ImagePcr[] } | undefined;
  let tried = 0;
  let complete = true;
  if (wanted.length > 0)
    for (const arrangement of candidates(image, () => best?.matches)) {
      // The image as it is gets its answer whatever that takes.
      complete = tried === 0 || values.hashed < (image.budget ?? BUDGET);
      if (!complete) break;
      tried++;
      const matches: ImagePcr[] = [];
      for (const register of wanted) {
        if ((await values.of(arrangement, register, observed)) === observed[register]) matches.push(register);
        // The rest of a whole image is hashed only when its smaller parts agree.
        else if (best !== undefined) break;
      }
      if (best === undefined || matches.length > best.matches.length) best = { arrangement, matches };
      if (matches.length === wanted.length) break;
    }
  const registers = new Map<string, SolvedRegister>();
  for (const register of wanted)
    registers.set(register, await describeRegister(register, observed, best, values));
  return { registers, tried, complete };
}

/** Other cuts are worth a try only where PCR0 says that the bytes are the same. */
function* candidates(
  { sections, cmdline }: SolvedImage,
  matches: () => readonly ImagePcr[] | undefined,
): Generator<Arrangement> {
  let asIs = true;
  for (const arrangement of arrangements(sections, cmdline)) {
    yield arrangement;
    if (asIs && matches()?.includes("PCR0") === true) {
      yield* cutElsewhere(sections);
      return;
    }
    asIs = false;
  }
}

async function describeRegister(
  register: ImagePcr,
  observed: ObservedPcrs,
  best: { arrangement: Arrangement; matches: readonly ImagePcr[] } | undefined,
  values: Values,
): Promise<SolvedRegister> {
  const base = { register, observed: observed[register] ?? "" };
  if (best?.matches.includes(register) !== true)
    return { ...base, ...(await values.mistake(register, base.observed)) };
  const { what, cause } = best.arrangement;
  const size = sizeNote(base.observed);
  if (size !== undefined)
    return { ...base, answer: "other", what: size, cause: "eif_build --algo", mistake: true };
  // The same pieces go into a register whatever is changed elsewhere.
  const asGiven = await values.isAsGiven(register, base.observed);
  if (asGiven || what === undefined) return { ...base, answer: "given", what: "the image" };
  return { ...base, answer: "other", what, ...(cause !== undefined && { cause }) };
}

const sizeNote = (value: string): string | undefined =>
  value.length === 96
    ? undefined
    : `the image, hashed with ${ALGORITHMS[value.length] ?? "another hash"}: enclaves report SHA-384 only`;

/** Values of arrangements, each list of pieces hashed once. */
class Values {
  readonly #image: SolvedImage;
  readonly #known = new Map<string, Uint8Array>();
  /** Bytes hashed until now. */
  hashed = 0;

  constructor(image: SolvedImage) {
    this.#image = image;
  }

  /** The register's value, in the hash of the observed one. */
  async of(arrangement: Arrangement, register: ImagePcr, observed: ObservedPcrs): Promise<string> {
    const algorithm = ALGORITHMS[observed[register]?.length ?? 96] ?? "sha384";
    const inner = await this.#inner(piecesOf(arrangement, register), algorithm);
    return formatHex(digestOf(algorithm, concatBytes(new Uint8Array(inner.length), inner)));
  }

  /** Whether the image exactly as it is gives the value. */
  async isAsGiven(register: ImagePcr, value: string): Promise<boolean> {
    return (await this.of(this.#given(), register, { [register]: value })) === value;
  }

  /** What people take for a PCR of the image. */
  async mistake(
    register: ImagePcr,
    value: string,
  ): Promise<Pick<SolvedRegister, "answer" | "what" | "mistake">> {
    if (/^0+$/.test(value))
      return { answer: "none", what: "zero, as in debug mode, and other registers are not" };
    const inner = await this.#inner(piecesOf(this.#given(), register), "sha384");
    if (formatHex(inner) === value)
      return { answer: "other", what: "the hash of the image's sections, not extended", mistake: true };
    return { answer: "none" };
  }

  #given(): Arrangement {
    const [given] = arrangements(this.#image.sections, undefined);
    return given ?? { parts: [] };
  }

  async #inner(pieces: readonly Piece[], algorithm: HashAlgorithm): Promise<Uint8Array> {
    const key = [algorithm, ...pieces.map((piece) => keyOf(piece))].join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const inner = await this.#image.digest(pieces, algorithm);
    this.hashed += pieces.reduce((sum, piece) => sum + sizeOf(piece, this.#image.sections), 0);
    this.#known.set(key, inner);
    return inner;
  }
}

const sizeOf = (piece: Piece, sections: readonly PlannedSection[]): number =>
  "section" in piece
    ? (piece.end ?? sections[piece.section]?.size ?? 0) - (piece.start ?? 0)
    : piece.bytes.length;

const keyOf = (piece: Piece): string =>
  "section" in piece
    ? `${piece.section}:${piece.start ?? ""}:${piece.end ?? ""}`
    : `x${formatHex(piece.bytes)}`;

function solveOther(register: string, observed: string, image: SolvedImage): SolvedRegister {
  const base = { register, observed };
  const forms = formsOf(register, image);
  if (/^0+$/.test(observed)) return { ...base, ...zeroAnswer(register, forms.length > 0) };
  const at = forms.findIndex(({ value }) => value === observed);
  const form = forms[at];
  if (form === undefined) return { ...base, ...reasonOf(register, image) };
  if (at === 0) return { ...base, answer: "given", what: form.what };
  return { ...base, answer: "other", what: form.what, ...(form.mistake === true && { mistake: true }) };
}

function formsOf(
  register: string,
  { certificates = [], pem, roleArn, instanceId }: SolvedImage,
): ValueForm[] {
  if (register === "PCR8") return certificateForms(certificates, pem);
  if (register === "PCR3") return roleArn === undefined ? [] : roleForms(roleArn);
  return register === "PCR4" && instanceId !== undefined ? instanceForms(instanceId) : [];
}

function zeroAnswer(register: string, given: boolean): Pick<SolvedRegister, "answer" | "what"> {
  const number = Number(register.slice(3));
  if (register === "PCR8" || register === "PCR3") {
    const what = register === "PCR8" ? "zero: the image is not signed" : "zero: the parent has no IAM role";
    return { answer: given ? "other" : "given", what };
  }
  if (number >= 5 && number <= 15) return { answer: "given", what: "zero, as in every enclave" };
  return { answer: "none" };
}

function reasonOf(
  register: string,
  { certificates = [], roleArn, instanceId }: SolvedImage,
): Pick<SolvedRegister, "answer" | "what"> {
  if (register === "PCR8" && certificates.length === 0)
    return { answer: "none", what: "signed, and the image at hand is not" };
  if (register === "PCR3" && roleArn === undefined)
    return { answer: "open", what: "of a role: give its ARN" };
  if (register === "PCR4" && instanceId === undefined)
    return { answer: "open", what: "of an instance: give its ID" };
  if (Number(register.slice(3)) >= 16) return { answer: "open", what: "extended by the enclave itself" };
  return { answer: "none" };
}
