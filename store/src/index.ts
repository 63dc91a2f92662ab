/**
 * @bootproof/store: immutable blobs by SHA-256, named objects and one compare-and-swap head, on a directory.
 * @module
 */
export { defaultStorePath } from "./default-path.ts";
export { DirectoryBlobs, type Blob, type BlobVerification, type ExpectedBlob } from "./directory-blobs.ts";
export { DirectoryHead, type Head } from "./directory-head.ts";
export { DirectoryObjects } from "./directory-objects.ts";
export { makeDirectory, replaceFile, writeFileAtomic } from "./durable.ts";
export { FileLock } from "./file-lock.ts";
export { collectGarbage, type Collected, type Keep } from "./garbage.ts";
export { Refs } from "./refs.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
