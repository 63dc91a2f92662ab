/**
 * Parameter areas of an IGVM file: declared once, filled while they wait, inserted once.
 * @module
 */
import { ParseError } from "@bootproof/bytes";
import type { HeaderBody } from "./header-body.ts";
import type { IgvmParameter, IgvmParameterArea, IgvmParameterInsert } from "./igvm-file.ts";

/** coconut-svsm's largest area is 4 MiB. */
const MAX_AREA = 64 * 1024 * 1024;

/** The areas met so far, and what may still happen to them. */
export class ParameterAreas {
  readonly #areas = new Map<number, { size: number; inserted: boolean }>();

  /** Reads IGVM_VHS_PARAMETER_AREA. */
  declare(body: HeaderBody): IgvmParameterArea {
    const bytes = body.pages("size", body.u64("size"));
    const area = body.u32("area index");
    const fileOffset = body.u32("file offset");
    if (bytes > BigInt(MAX_AREA))
      throw new ParseError("TOO_LARGE", body.field("size"), {
        offset: body.place.offset,
        expected: `at most ${MAX_AREA}`,
        found: `${bytes}`,
      });
    if (this.#areas.has(area))
      throw new ParseError("DUPLICATE", body.field(`parameter area ${area}`), {
        offset: body.place.offset,
        expected: "each area once",
        found: "a second of this index",
      });
    const size = Number(bytes);
    this.#areas.set(area, { size, inserted: false });
    const data = fileOffset === 0 ? new Uint8Array() : body.data(fileOffset, size, size);
    return { kind: "PARAMETER_AREA", ...body.place, area, size, data };
  }

  /** Reads IGVM_VHS_PARAMETER of any type. */
  use(body: HeaderBody): IgvmParameter {
    const area = body.u32("area index");
    const byteOffset = body.u32("offset in the area");
    const { size } = this.#waiting(body, area);
    return {
      kind: "PARAMETER",
      parameter: body.name,
      ...body.place,
      area,
      byteOffset,
      areaSize: size,
    };
  }

  /** Reads IGVM_VHS_PARAMETER_INSERT. */
  insert(body: HeaderBody): IgvmParameterInsert {
    const guestAddress = body.guestAddress();
    const mask = body.u32("compatibility mask");
    const area = body.u32("area index");
    const state = this.#waiting(body, area);
    state.inserted = true;
    return { kind: "PARAMETER_INSERT", ...body.place, mask, guestAddress, area, size: state.size };
  }

  #waiting(body: HeaderBody, area: number): { size: number; inserted: boolean } {
    const state = this.#areas.get(area);
    if (state === undefined)
      throw new ParseError("MISSING", body.field(`parameter area ${area}`), {
        offset: body.place.offset,
        expected: "a PARAMETER_AREA header before it",
        found: "none of this index",
      });
    if (state.inserted)
      throw new ParseError("DUPLICATE", body.field(`use, after its insertion, of parameter area ${area}`), {
        offset: body.place.offset,
        expected: "nothing more of an area once it is inserted",
        found: "a later header with its index",
      });
    return state;
  }
}
