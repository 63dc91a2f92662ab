/**
 * What an IGVM file says: an ordered list of headers that tell a VMM how to build a guest's first memory and
 * processor state. Independent Guest Virtual Machine file format, igvm_defs 0.4 (format versions 1 and 2).
 * @module
 */

/** Isolation technologies, by the names used here. */
export type IgvmPlatformName = "native" | "vsm" | "snp" | "tdx" | "sev" | "sev-es" | "cca";

/** What every variable header has. */
export interface IgvmHeaderPlace {
  /** Position among all variable headers, from 0. */
  readonly index: number;
  /** Offset of the header in the file. */
  readonly offset: number;
}

/** IGVM_VHS_SUPPORTED_PLATFORM: a platform that the file serves, and the mask by which headers name it. */
export interface IgvmPlatform extends IgvmHeaderPlace {
  readonly kind: "SUPPORTED_PLATFORM";
  /** Exactly one bit. */
  readonly mask: number;
  readonly platform: IgvmPlatformName;
  readonly highestVtl: number;
  readonly version: number;
  readonly sharedGpaBoundary: bigint;
}

/** IGVM_VHS_GUEST_POLICY. */
export interface IgvmGuestPolicy extends IgvmHeaderPlace {
  readonly kind: "GUEST_POLICY";
  readonly mask: number;
  readonly policy: bigint;
}

/** IGVM_VHS_RELOCATABLE_REGION and IGVM_VHS_PAGE_TABLE_RELOCATION: memory that a loader may move. */
export interface IgvmRelocation extends IgvmHeaderPlace {
  readonly kind: "RELOCATABLE_REGION" | "PAGE_TABLE_RELOCATION_REGION";
  readonly mask: number;
  readonly guestAddress: bigint;
  readonly size: bigint;
  readonly vpIndex: number;
  readonly vtl: number;
}

/** IGVM_VHS_CORIM_DATA: a reference-integrity manifest or its signature, as file data. */
export interface IgvmCorim extends IgvmHeaderPlace {
  readonly kind: "CORIM_DOCUMENT" | "CORIM_SIGNATURE";
  readonly mask: number;
  readonly data: Uint8Array;
}

/** What a page holds, by the names of IgvmPageDataType. */
export type IgvmPageDataType = "NORMAL" | "SECRETS" | "CPUID_DATA" | "CPUID_XF";

/** IGVM_VHS_PAGE_DATA: one page of guest memory. */
export interface IgvmPageData extends IgvmHeaderPlace {
  readonly kind: "PAGE_DATA";
  readonly mask: number;
  readonly guestAddress: bigint;
  /** 4 KiB or 2 MiB. */
  readonly size: number;
  readonly unmeasured: boolean;
  readonly shared: boolean;
  readonly dataType: IgvmPageDataType;
  /** Offset of the contents in the file; 0 means that the file has none and the page is zero. */
  readonly fileOffset: number;
  /** Empty, or at least 4 KiB and at most `size`. */
  readonly data: Uint8Array;
}

/** IGVM_VHS_PARAMETER_AREA: memory that the VMM fills in before it becomes guest memory. */
export interface IgvmParameterArea extends IgvmHeaderPlace {
  readonly kind: "PARAMETER_AREA";
  readonly area: number;
  readonly size: number;
  readonly data: Uint8Array;
}

/** IGVM_VHS_PARAMETER_INSERT: a parameter area becomes guest memory. */
export interface IgvmParameterInsert extends IgvmHeaderPlace {
  readonly kind: "PARAMETER_INSERT";
  readonly mask: number;
  readonly guestAddress: bigint;
  readonly area: number;
  /** Size of the area. */
  readonly size: number;
}

/** IGVM_VHS_PARAMETER: what the VMM writes into an area, and where. */
export interface IgvmParameter extends IgvmHeaderPlace {
  readonly kind: "PARAMETER";
  /** The specification's word for it, such as MADT. */
  readonly parameter: string;
  readonly area: number;
  readonly byteOffset: number;
  /** Size of the area. */
  readonly areaSize: number;
}

/** IGVM_VHS_VP_CONTEXT: the register state of one virtual processor. */
export interface IgvmVpContext extends IgvmHeaderPlace {
  readonly kind: "VP_CONTEXT";
  readonly mask: number;
  readonly platform: IgvmPlatformName;
  readonly guestAddress: bigint;
  readonly vpIndex: number;
  readonly fileOffset: number;
  /** 4096 bytes, on SNP and SEV-ES a VMSA; empty on VSM, whose list of registers stays closed here. */
  readonly data: Uint8Array;
}

/** IGVM_VHS_REQUIRED_MEMORY: memory that must exist; nobody measures it. */
export interface IgvmRequiredMemory extends IgvmHeaderPlace {
  readonly kind: "REQUIRED_MEMORY";
  readonly mask: number;
  readonly guestAddress: bigint;
  readonly size: number;
}

/** IGVM_VHS_ERROR_RANGE: memory that a loader must not touch. */
export interface IgvmErrorRange extends IgvmHeaderPlace {
  readonly kind: "ERROR_RANGE";
  readonly mask: number;
  readonly guestAddress: bigint;
  readonly size: number;
}

/** A key of an SNP ID block in IGVM's form, which has 4 bytes more than the processor's. */
export interface IgvmPublicKey {
  readonly curve: number;
  /** 72 bytes, little-endian. */
  readonly qx: Uint8Array;
  /** 72 bytes, little-endian. */
  readonly qy: Uint8Array;
}

/** IGVM_VHS_SNP_ID_BLOCK: the launch digest that the file's author expects, signed. */
export interface IgvmSnpIdBlock extends IgvmHeaderPlace {
  readonly kind: "SNP_ID_BLOCK";
  readonly mask: number;
  readonly authorKeyEnabled: boolean;
  readonly launchDigest: Uint8Array;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly version: number;
  readonly guestSvn: number;
  readonly idKeyAlgorithm: number;
  readonly authorKeyAlgorithm: number;
  /** r and s, 72 bytes each, little-endian. */
  readonly idKeySignature: Uint8Array;
  readonly idPublicKey: IgvmPublicKey;
  /** r and s, 72 bytes each, little-endian. */
  readonly authorKeySignature: Uint8Array;
  readonly authorPublicKey: IgvmPublicKey;
}

/** A header whose body belongs to platforms that nothing here measures. */
export interface IgvmForeign extends IgvmHeaderPlace {
  readonly kind: "FOREIGN";
  readonly name: string;
  readonly mask: number;
}

/** A header of a type that we do not know and that says of itself, by bit 31, that it may be skipped. */
export interface IgvmOptional extends IgvmHeaderPlace {
  readonly kind: "OPTIONAL";
  /** The type with bit 31. */
  readonly type: number;
  readonly length: number;
}

/** Headers of the initialization section, and optional ones anywhere before the directives. */
export type IgvmInitialization = IgvmGuestPolicy | IgvmRelocation | IgvmCorim | IgvmForeign | IgvmOptional;

/** Headers of the directive section, and optional ones among them. */
export type IgvmDirective =
  | IgvmPageData
  | IgvmParameterArea
  | IgvmParameterInsert
  | IgvmParameter
  | IgvmVpContext
  | IgvmRequiredMemory
  | IgvmErrorRange
  | IgvmSnpIdBlock
  | IgvmForeign
  | IgvmOptional;

/** A parsed IGVM file. Its headers make sense on their own; whether a VMM can launch them is another question. */
export interface IgvmFile {
  readonly version: 1 | 2;
  readonly architecture: "x64" | "aarch64";
  readonly size: number;
  readonly checksum: number;
  readonly platforms: readonly IgvmPlatform[];
  readonly initialization: readonly IgvmInitialization[];
  readonly directives: readonly IgvmDirective[];
}
