/**
 * @bootproof/ovmf: what an OVMF image says of itself.
 * @module
 */
export { describeFirmware, type FirmwareDescription, parseTdxMetadataOffset } from "./describe.ts";
export { enclosingSection, type EnclosingSection, partFinder, type PartFinder } from "./enclosing-section.ts";
export { type FirmwareFile, type FirmwareVolume, findVolumes, parseVolume } from "./firmware-volume.ts";
export {
  type GuestArea,
  parseHashTableArea,
  parseResetAddress,
  parseResetBlock,
  parseSecretArea,
  parseSevFirmware,
  type SevFirmware,
} from "./firmware.ts";
export {
  findGuidEntry,
  type GuidTable,
  type GuidTableEntry,
  openGuidEntry,
  parseGuidTable,
} from "./guid-table.ts";
export {
  guidName,
  HASH_TABLE_GUID,
  IGVM_PARAMETERS_GUID,
  RESET_BLOCK_GUID,
  SECRET_AREA_GUID,
  SEV_METADATA_GUID,
  SVSM_INFO_GUID,
  TABLE_FOOTER_GUID,
  TDX_METADATA_GUID,
} from "./guids.ts";
export { parseSevMetadata, SEV_SECTION_TYPE, type SevMetadata, type SevSection } from "./sev-metadata.ts";
