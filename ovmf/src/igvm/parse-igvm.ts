/**
 * Parses an IGVM file as the loaders' own parser does (the igvm library, which QEMU, igvmmeasure and OpenVMM
 * share), and a little stricter: reserved fields and padding are zero.
 * @module
 */
import { ByteReader, ParseError } from "@bootproof/bytes";
import { type DirectiveContext, readDirective } from "./directive-header.ts";
import { readFixedHeader } from "./fixed-header.ts";
import { HeaderBody } from "./header-body.ts";
import { headerType, type IgvmHeaderType, type IgvmSection, OPTIONAL_BIT } from "./header-types.ts";
import type {
  IgvmDirective,
  IgvmFile,
  IgvmHeaderPlace,
  IgvmInitialization,
  IgvmOptional,
  IgvmPlatform,
} from "./igvm-file.ts";
import { checkCorims, readInitialization } from "./initialization-header.ts";
import { ParameterAreas } from "./parameter-areas.ts";
import { readPlatform } from "./platform-header.ts";

/** One page a header: 512 MiB of guest memory. Files in use have up to 30,000. */
const MAX_HEADERS = 131_072;
/** More than processors on any machine, for each of several platforms. */
const MAX_VP_CONTEXTS = 8192;
const SECTIONS: readonly IgvmSection[] = ["platform", "initialization", "directive"];

/** Parses an IGVM file, or throws {@link ParseError}. */
export function parseIgvm(file: Uint8Array): IgvmFile {
  const fixed = readFixedHeader(file);
  const headers = new HeaderList(file, fixed.headersEnd, fixed.architecture);
  const reader = new ByteReader(file.subarray(fixed.headersStart, fixed.headersEnd), fixed.headersStart);
  for (let index = 0; reader.remaining > 0; index++) {
    if (index === MAX_HEADERS)
      throw new ParseError("TOO_LARGE", "IGVM variable headers", {
        offset: reader.offset,
        expected: `at most ${MAX_HEADERS}`,
        found: "more",
      });
    headers.read(reader, index);
  }
  if (headers.platforms.length === 0)
    throw new ParseError("MISSING", "supported platform in IGVM file", {
      offset: fixed.headersStart,
      expected: "a SUPPORTED_PLATFORM header",
      found: "none",
    });
  checkCorims(headers.initialization);
  return {
    version: fixed.version,
    architecture: fixed.architecture,
    size: file.length,
    checksum: fixed.checksum,
    platforms: headers.platforms,
    initialization: headers.initialization,
    directives: headers.directives,
  };
}

/** The headers read so far: each may depend on those before it. */
class HeaderList {
  readonly platforms: IgvmPlatform[] = [];
  readonly initialization: IgvmInitialization[] = [];
  readonly directives: IgvmDirective[] = [];
  readonly #context: DirectiveContext = { platforms: this.platforms, areas: new ParameterAreas() };
  readonly #file: Uint8Array;
  readonly #dataStart: number;
  readonly #architecture: "x64" | "aarch64";
  #section: IgvmSection = "platform";
  #vpContexts = 0;

  constructor(file: Uint8Array, dataStart: number, architecture: "x64" | "aarch64") {
    this.#file = file;
    this.#dataStart = dataStart;
    this.#architecture = architecture;
  }

  /** Reads one header with its padding. */
  read(reader: ByteReader, index: number): void {
    const place: IgvmHeaderPlace = { index, offset: reader.offset };
    const number = reader.u32le(`type of IGVM header ${index}`);
    const length = reader.u32le(`length of IGVM header ${index}`);
    const known = headerType(number);
    const name = known?.name ?? `type 0x${number.toString(16)}`;
    if (known === undefined && number < OPTIONAL_BIT)
      throw new ParseError("UNSUPPORTED", `type of IGVM header ${index}`, {
        offset: place.offset,
        expected: `a type that is known, or one from 0x${OPTIONAL_BIT.toString(16)} on`,
        found: `0x${number.toString(16)}, which may not be skipped`,
      });
    if (length > reader.remaining)
      throw new ParseError("TRUNCATED", `body of IGVM header ${index} (${name})`, {
        offset: reader.offset,
        expected: `${length} bytes`,
        found: `${reader.remaining}`,
      });
    if (known === undefined) {
      reader.skip(length, `body of IGVM header ${index}`);
      this.#keep({ kind: "OPTIONAL", ...place, type: number, length });
    } else {
      const body = new HeaderBody(place, name, reader, this.#file, this.#dataStart);
      if (length !== known.length) throw body.fault("length", `${known.length}`, `${length}`);
      this.#enter(known, place);
      this.#take(known, body);
    }
    reader.zeros((8 - (length % 8)) % 8, `padding of IGVM header ${index} (${name})`);
  }

  #enter({ section, name }: IgvmHeaderType, { index, offset }: IgvmHeaderPlace): void {
    if (SECTIONS.indexOf(section) < SECTIONS.indexOf(this.#section))
      throw new ParseError("OUT_OF_RANGE", `place of IGVM header ${index} (${name})`, {
        offset,
        expected: `before every ${this.#section} header`,
        found: "behind one",
      });
    this.#section = section;
  }

  #take(known: IgvmHeaderType, body: HeaderBody): void {
    switch (known.section) {
      case "platform":
        this.platforms.push(readPlatform(body, this.#architecture, this.platforms));
        break;
      case "initialization":
        this.initialization.push(readInitialization(body));
        break;
      case "directive":
        if (body.name === "VP_CONTEXT" && ++this.#vpContexts > MAX_VP_CONTEXTS)
          throw new ParseError("TOO_LARGE", "VP contexts of IGVM file", {
            offset: body.place.offset,
            expected: `at most ${MAX_VP_CONTEXTS}`,
            found: "more",
          });
        this.directives.push(readDirective(body, this.#context));
        break;
    }
  }

  #keep(header: IgvmOptional): void {
    if (this.#section === "directive") this.directives.push(header);
    else this.initialization.push(header);
  }
}
