/**
 * The SNP launch digest's extend: SHA-384 over PAGE_INFO.
 * AMD SEV-SNP ABI (document 56860), SNP_LAUNCH_UPDATE, structure PAGE_INFO: 0x70 bytes, little-endian.
 * @module
 */
import { hashInto, type Sha384 } from "@bootproof/bytes";
import type { MeasuredEvent } from "../event.ts";

/** Page types of SNP_LAUNCH_UPDATE. */
export const PAGE_TYPE = { NORMAL: 1, VMSA: 2, ZERO: 3, UNMEASURED: 4, SECRETS: 5, CPUID: 6 } as const;

/** Name of a page type. */
export type PageType = keyof typeof PAGE_TYPE;

/** Every page given to the firmware is 4 KiB: KVM never uses larger ones at launch. */
export const PAGE_SIZE = 4096;

/** The one register of SEV-SNP. */
export const LAUNCH_DIGEST = "launchDigest";

/** One page given to the security processor. */
export interface PageEvent extends MeasuredEvent {
  readonly register: typeof LAUNCH_DIGEST;
  readonly type: PageType;
  readonly guestAddress: bigint;
}

/** CONTENTS of page types whose content is not hashed; type and address still change the digest. */
export const NO_CONTENTS: Sha384 = new Uint8Array(48) as Sha384;

/** The launch digest before the first page. */
export const START: { readonly [LAUNCH_DIGEST]: Sha384 } = {
  [LAUNCH_DIGEST]: new Uint8Array(48) as Sha384,
};

/** Bytes of a SHA-384. */
const DIGEST = 48;
const PAGE_INFO_LENGTH = 0x70;
// One buffer for all pages: allocating 112 bytes a page costs as much as hashing them.
const pageInfo = new Uint8Array(PAGE_INFO_LENGTH);
const view = new DataView(pageInfo.buffer);
// DIGEST_CUR comes first, so that the next digest is written where the page after it wants it.
const hashPageInfo = hashInto("sha384", pageInfo);

/** The launch digest after one page. */
export function extendLaunchDigest(current: Uint8Array, page: PageEvent): Sha384 {
  return extendPage(current, page.type, page.digest, page.guestAddress);
}

/** The launch digest after one page that need not be an event. */
export function extendPage(
  current: Uint8Array,
  type: PageType,
  contents: Uint8Array,
  guestAddress: bigint,
): Sha384 {
  setPageInfo(current, type);
  nextPage(contents, guestAddress);
  return pageInfo.slice(0, DIGEST) as Sha384;
}

/** The launch digest after pages of one type at ascending guest addresses; `contents` has 48 bytes a page, or is not hashed. */
export function extendPages(
  current: Uint8Array,
  type: PageType,
  contents: Uint8Array | undefined,
  guestAddress: bigint,
  pages: number,
): Sha384 {
  setPageInfo(current, type);
  for (let page = 0; page < pages; page++) {
    const digest =
      contents === undefined ? NO_CONTENTS : contents.subarray(page * DIGEST, (page + 1) * DIGEST);
    nextPage(digest, guestAddress + BigInt(page * PAGE_SIZE));
  }
  return pageInfo.slice(0, DIGEST) as Sha384;
}

function setPageInfo(current: Uint8Array, type: PageType): void {
  pageInfo.set(current, 0x00); // DIGEST_CUR
  view.setUint16(0x60, PAGE_INFO_LENGTH, true); // LENGTH
  view.setUint8(0x62, PAGE_TYPE[type]); // PAGE_TYPE
  // 0x63 IMI_PAGE and 0x64 VMPL permissions stay 0: KVM passes neither. Two published tools order the
  // permission bytes differently; no vector can tell while all are 0.
}

function nextPage(contents: Uint8Array, guestAddress: bigint): void {
  pageInfo.set(contents, 0x30); // CONTENTS
  view.setBigUint64(0x68, guestAddress, true); // GPA
  hashPageInfo(pageInfo, 0x00);
}
