/**
 * @bootproof/ovmf/igvm: what an IGVM file says to its loader. Apart from the rest, because few measure IGVM files.
 * @module
 */
export {
  describeIgvm,
  type IgvmDescription,
  igvmHeaderName,
  type IgvmRow,
  igvmRows,
} from "./describe-igvm.ts";
export type {
  IgvmCorim,
  IgvmDirective,
  IgvmErrorRange,
  IgvmFile,
  IgvmForeign,
  IgvmGuestPolicy,
  IgvmHeaderPlace,
  IgvmInitialization,
  IgvmOptional,
  IgvmPageData,
  IgvmPageDataType,
  IgvmParameter,
  IgvmParameterArea,
  IgvmParameterInsert,
  IgvmPlatform,
  IgvmPlatformName,
  IgvmPublicKey,
  IgvmRelocation,
  IgvmRequiredMemory,
  IgvmSnpIdBlock,
  IgvmVpContext,
} from "./igvm-file.ts";
export { parseIgvm } from "./parse-igvm.ts";
