/**
 * The identity inside an IGVM file; apart, because only IGVM files need their parser.
 * @module
 */
import { type IgvmIdentity, identityOfIgvm } from "@bootproof/measure/identity";
import { parseIgvm } from "@bootproof/ovmf";

import { reading } from "../errors/to-failure.ts";

/** Takes the identity out of an IGVM file. */
export function readIgvmIdentity(file: string, bytes: Uint8Array): IgvmIdentity {
  return reading(file, () => identityOfIgvm(parseIgvm(bytes)));
}
