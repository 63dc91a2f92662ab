/**
 * GUIDs that OVMF images carry, by name.
 * Sources: edk2 OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm (table entries), MdePkg and OvmfPkg .dec files
 * (volume and file system GUIDs).
 * @module
 */

/** Identifies the last entry of the GUIDed table, 32 bytes before the end of the image. */
export const TABLE_FOOTER_GUID = "96b582de-1fb2-45f7-baea-a366c55a082d";
/** SEV-ES reset block: where application processors start. */
export const RESET_BLOCK_GUID = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
/** SEV hash table area: where the VMM puts the kernel hashes table. */
export const HASH_TABLE_GUID = "7255371f-3a3b-4b04-927b-1da6efa8d454";
/** SEV secret area: where LAUNCH_SECRET puts its payload. */
export const SECRET_AREA_GUID = "4c2eb361-7d9b-4cc3-8081-127c90d3d294";
/** SEV metadata: which guest pages the VMM must prepare. */
export const SEV_METADATA_GUID = "dc886566-984a-4798-a75e-5585a7bf67cc";
/** TDX metadata: which sections the VMM loads into a trust domain. */
export const TDX_METADATA_GUID = "e47a6535-984a-4798-865e-4685a7bf8ec2";
/** IGVM parameter list (edk2 since 2026). */
export const IGVM_PARAMETERS_GUID = "784fa70e-3176-4677-8a20-04b68699e374";
/** SVSM launch information of coconut-svsm. */
export const SVSM_INFO_GUID = "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd";

/** File systems whose volumes hold files with FFS headers. */
export const FFS_GUIDS: readonly string[] = [
  "8c8ce578-8a3d-4f1c-9935-896185c32dd3",
  "5473c07a-3dcb-4dca-bd6f-1e9689e7349a",
];

const NAMES: Readonly<Record<string, string>> = {
  [TABLE_FOOTER_GUID]: "GUIDed table footer",
  [RESET_BLOCK_GUID]: "SEV-ES reset block",
  [HASH_TABLE_GUID]: "SEV hash table area",
  [SECRET_AREA_GUID]: "SEV secret area",
  [SEV_METADATA_GUID]: "SEV metadata",
  [TDX_METADATA_GUID]: "TDX metadata",
  [IGVM_PARAMETERS_GUID]: "IGVM parameter list",
  [SVSM_INFO_GUID]: "SVSM info",
  "8c8ce578-8a3d-4f1c-9935-896185c32dd3": "FFS2 firmware volume",
  "5473c07a-3dcb-4dca-bd6f-1e9689e7349a": "FFS3 firmware volume",
  "fff12b8d-7696-4c8b-a985-2747075b4f50": "variable store volume",
  "1ba0062e-c779-4582-8566-336ae8f78f09": "volume top file",
  "9e21fd93-9c72-4c15-8c4b-e77f1db2d792": "compressed main volume file",
  "df1ccef6-f301-4a63-9661-fc6030dcc880": "SEC core",
  "763bed0d-de9f-48f5-81f1-3e90e1b1a015": "SEC volume",
  "48db5e17-707c-472d-91cd-1613e7ef51b0": "main compact volume",
};

/** The name of a GUID found in firmware, or undefined when we know none. */
export const guidName = (guid: string): string | undefined => NAMES[guid];
