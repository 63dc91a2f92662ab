/**
 * The ID block and ID auth of an IGVM file. Apart from the rest because few structures come from such files.
 * @module
 */
import { identityOfIgvm } from "@bootproof/measure/identity";
import { parseIgvm } from "@bootproof/ovmf/igvm";

/** The identity in an IGVM file, in the form that is signed; throws ParseError or MeasureError when there is none. */
export const identityInIgvm = (bytes: Uint8Array): ReturnType<typeof identityOfIgvm> =>
  identityOfIgvm(parseIgvm(bytes));
