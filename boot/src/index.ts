/**
 * @bootproof/boot: what firmware starts.
 * @module
 */
export { type KernelHeader, parseKernel } from "./bzimage.ts";
export { commandLineNotes, type KernelParameter, parseCommandLine } from "./command-line.ts";
export { FILE_TYPE, FILE_TYPE_MASK, MAX_CPIO_NAME } from "./cpio-entry.ts";
export { type CpioArchive, type CpioEntry, readCpio } from "./cpio-read.ts";
export {
  CpioEncoder,
  type CpioDevice,
  type CpioMember,
  type EncodedMember,
  MAX_CPIO_NUMBER,
} from "./cpio-encoder.ts";
export { type CpioInput, type CpioOptions, writeCpio } from "./cpio-write.ts";
export { type Compression, detectCompression, type InitrdPart, parseInitrd } from "./initrd.ts";
