/**
 * Bootstraps that PCR1 gives away. PCR1 hashes kernel, command line and the first ramdisk, and nitro-cli takes these from
 * the blobs that come with it, so every image that is built with one version and architecture has one PCR1.
 * @module
 */
import type { EifArchitecture } from "@bootproof/boot/eif";

/** A bootstrap of nitro-cli's. */
export interface KnownBootstrap {
  readonly architecture: EifArchitecture;
  /** Releases of nitro-cli whose own tests expect it: `v1.2.0 to v1.3.0`; undefined for one between releases. */
  readonly releases?: string;
  /** When it entered nitro-cli's tests, `2022-02-02`. */
  readonly since: string;
  /** Version of the kernel in it, where that is known. */
  readonly kernel?: string;
  /** What to know about its age. */
  readonly note: string;
}

type Row = readonly [
  pcr1: string,
  architecture: EifArchitecture,
  since: string,
  releases: string | undefined,
  kernel: string | undefined,
];

const STOCK_KERNEL = "4.14.256-209.484.amzn2";

// Source: aws/aws-nitro-enclaves-cli, the values in the history of tests/tests.rs, 2020-03-27 to 2024-05-22.
// prettier-ignore
const ROWS: readonly Row[] = [
  ["cc0749fddbb889480234b93192ae55609c91dd415028ce3474d26d363c61722b87e0ce86086782c649e14d9629467c2b", "x86_64", "2020-03-27", "v0.1.0", undefined],
  ["5b6fe484a874380a352d85004a7b7b43d4baec94e320db33270b979abe398d7d46b75a5f6383e85fd8d24c123deecf34", "x86_64", "2020-08-14", undefined, undefined],
  ["aca6e62ffbf5f7deccac452d7f8cee1b94048faf62afc16c8ab68c9fed8c38010c73a669f9a36e596032f0b973d21895", "x86_64", "2020-09-02", undefined, undefined],
  ["c35e620586e91ed40ca5ce360eedf77ba673719135951e293121cb3931220b00f87b5a15e94e25c01fecd08fc9139342", "x86_64", "2020-11-05", "v1.0.10 to v1.0.12", undefined],
  ["1b8ff3c2f3338f04f64d8fc1f19ef7a6b432ed2dbe3157eac7ca6d0de775ff98c12de2f8a4560e2e218d5d8b2a1795c2", "aarch64", "2021-09-30", undefined, undefined],
  ["5c01976a546ec6b740353189afd3bf5fe29df96328887111e7c802cf2ff5ad636deed2ab8254e7a51a45fca01d0ae062", "x86_64", "2021-10-27", "v1.1.0", undefined],
  ["457a4474176f2066cfb963e7f3d2004e94f3c6add53590e7635523e68c50edcb75d8666c99f4a83d5d7982f39a54986e", "aarch64", "2021-10-27", "v1.1.0", undefined],
  ["051ee18fe41011b2beb6ce66f7d73e2b58a3ba95bbeba565157acb29f6e26e2005ae7f3551c1be673d3e6912bc654ac7", "x86_64", "2021-12-17", undefined, undefined],
  ["90b9c226b6e291717c52ad3f54a1bd486762adf0839e63f873dce9ee74969bc2754a82b9a2c6eae36eea144ae54c54d7", "aarch64", "2021-12-17", undefined, undefined],
  ["bcdf05fefccaa8e55bf2c8d6dee9e79bbff31e34bf28a99aa19e6b29c37ee80b214a414b7607236edf26fcb78654e63f", "x86_64", "2022-02-02", "v1.2.0 to v1.3.0", STOCK_KERNEL],
  ["5d3938eb05288e20a981038b1861062ff4174884968a39aee5982b312894e60561883576cc7381d1a7d05b809936bd16", "aarch64", "2022-02-02", "v1.2.0 to v1.3.0", STOCK_KERNEL],
  ["0343b056cd8485ca7890ddd833476d78460aed2aa161548e4e26bedf321726696257d623e8805f3f605946b3d8b0c6aa", "x86_64", "2024-05-22", "v1.3.1 to v1.5.0", STOCK_KERNEL],
  ["745004eab9a0fb4a67973b261c6e7fa5418dc870292927591574385649338e54686cdeb659f3c6c2e72ba11aba2158a8", "aarch64", "2024-05-22", "v1.3.1 to v1.5.0", STOCK_KERNEL],
];

/** The bootstrap of nitro-cli that gives this PCR1 (96 hex digits); undefined for any other. */
export function knownBootstrap(pcr1: string): KnownBootstrap | undefined {
  const row = ROWS.find(([value]) => value === pcr1.toLowerCase());
  if (row === undefined) return undefined;
  const [, architecture, since, releases, kernel] = row;
  const from = `from nitro-cli's blobs of ${since}`;
  return {
    architecture,
    since,
    ...(releases !== undefined && { releases }),
    ...(kernel !== undefined && { kernel }),
    note:
      kernel === undefined
        ? `bootstrap ${from}, older than any that nitro-cli ships now`
        : `kernel ${kernel} of February 2022, ${from}: kernel.org has ended the 4.14 series in January 2024`,
  };
}
