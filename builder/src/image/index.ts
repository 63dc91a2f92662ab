/**
 * @bootproof/builder/image: ramdisks from container images and root folders, without a daemon.
 * @module
 */
export type {
  Folder,
  Image,
  ImageConfig,
  ImageFinding,
  OpenImageOptions,
  Ramdisk,
  RamdiskOptions,
  WrittenRamdisk,
} from "./image.ts";
export { openFolder } from "./open-folder.ts";
export { openImage } from "./open-image.ts";
export { imageRamdisk, planRamdisk } from "./ramdisk.ts";
