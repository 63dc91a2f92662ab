/**
 * Files that a log's writers keep beside its head. Each can be lost: what is in it is made again from the log, or by its
 * operator.
 * @module
 */
import { join } from "node:path";

/** The index of what entries hold. */
export const lookupFile = (privateFolder: string): string => join(privateFolder, "lookup.sqlite");
/** Who may publish. */
export const publishersFile = (privateFolder: string): string => join(privateFolder, "publishers.yaml");
/** What was used of the quotas. */
export const quotasFile = (privateFolder: string): string => join(privateFolder, "quotas.json");
