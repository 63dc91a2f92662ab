/**
 * Pages of the content-addressed store.
 * @module
 */
import { EXIT } from "../frame/exit-code.ts";
import type { Pages } from "./page.ts";

/** Pages of BP-STORE. */
export const STORE_PAGES: Pages = {
  "BP-STORE-001": {
    title: "the disk is full",
    exit: EXIT.cannotWrite,
    why: "The file system has no room or the quota is used up. Nothing half-written was left behind.",
    fix: "Free some space (bootproof store gc), or name a larger disk: --store DIR or BOOTPROOF_STORE",
  },
  "BP-STORE-002": {
    title: "the disk reports an error",
    exit: EXIT.cannotWrite,
    why: "The file system answered a read, write or sync with an input/output error; what was just written may be lost.",
    fix: "Check the disk (dmesg), then: bootproof store verify",
  },
  "BP-STORE-003": {
    title: "the store may not be written",
    exit: EXIT.cannotWrite,
    why: "This user may not write there, or the file system is read-only.",
    fix: "Name a store of your own: --store DIR or BOOTPROOF_STORE",
  },
  "BP-STORE-004": {
    title: "a stored blob is damaged",
    exit: EXIT.malformed,
    why: "The file's bytes no longer have the digest that names it: a failing disk, or someone changed it.",
    fix: "Delete the named file and run again; bootproof store verify checks all others.",
  },
  "BP-STORE-005": {
    title: "the bytes are not the expected ones",
    exit: EXIT.malformed,
    why: "What was to be stored has another size or digest than it should. Nothing of it was kept.",
    fix: "Fetch it from another place; if the change was meant, lock the recipe again.",
  },
  "BP-STORE-006": {
    title: "more bytes than allowed",
    exit: EXIT.malformed,
    why: "Something to be stored is larger than its limit. Nothing of it was kept.",
    fix: "Check that it is the file that was meant.",
  },
  "BP-STORE-007": {
    title: "an immutable object exists with other bytes",
    exit: EXIT.no,
    why: "Files such as a log's full tiles never change, and here one would: two writers, or a restored old copy.",
    fix: "Keep both and look into it: bootproof log audit --log DIR",
  },
  "BP-STORE-008": {
    title: "a name that the store does not accept",
    exit: EXIT.malformed,
    why: "Names in the store are plain: no empty parts, no dots alone, no control characters.",
    fix: "Use another name.",
  },
  "BP-STORE-009": {
    title: "a file or folder of the store is not there",
    exit: EXIT.noInput,
    why: "It was removed while it was used, or the path is wrong.",
    fix: "Run again; bootproof store verify checks the rest.",
  },
  "BP-STORE-010": {
    title: "the system refused a store operation",
    exit: EXIT.cannotWrite,
    why: "The message has the system's own words.",
    fix: "Name another store: --store DIR or BOOTPROOF_STORE",
  },
  "BP-STORE-040": {
    title: "the index of keys is damaged",
    exit: EXIT.tryAgain,
    why: "The file with which a log finds its entries by identity or digest is not what was written. It has been removed; it holds nothing that the log does not.",
    fix: "Run the command again: the index is made anew from the log.",
  },
  "BP-STORE-020": {
    title: "another writer replaced the object first",
    exit: EXIT.no,
    why: "Two processes wrote the same log, and the other one was quicker. This one changed nothing.",
    fix: "Let one writer at a time use a log; open it again.",
  },
  "BP-STORE-021": {
    title: "the S3 store does not keep to the conditions of a write",
    exit: EXIT.no,
    why: "It was tried with objects of our own: it overwrites where it must not, or lets two writers win. A log on it forks.",
    fix: "Use a store that has If-None-Match and If-Match on PutObject, and no cache between it and us.",
  },
  "BP-STORE-022": {
    title: "the S3 store cannot be reached",
    exit: EXIT.unavailable,
    why: "Nobody answers at that endpoint, or the answer broke off, several times in a row. Nothing was changed.",
    fix: "Check endpoint and network, then run again.",
  },
  "BP-STORE-023": {
    title: "the S3 store refused a request",
    exit: EXIT.cannotWrite,
    why: "The message has the store's status and code: wrong credentials, missing rights, another region, no such bucket.",
    fix: "Check credentials, rights, bucket and region, and the clock of this machine.",
  },
  "BP-STORE-024": {
    title: "whether a write to the S3 store happened is not known",
    exit: EXIT.unavailable,
    why: "The connection broke, or time ran out, after the write was sent. It was done, or will be, or not.",
    fix: "Run again: opening a log reads what was committed and goes on from there.",
  },
  "BP-STORE-025": {
    title: "the S3 store answers something that cannot be right",
    exit: EXIT.malformed,
    why: "An object is cut off or not what was written, a list is out of order, or an ETag identifies nothing.",
    fix: "Check what stands between this machine and the store, then: bootproof log audit --log DIR",
  },
  "BP-STORE-026": {
    title: "an endpoint or a bucket that is not accepted",
    exit: EXIT.malformed,
    why: "Endpoints are https: URLs with a host alone, http: only on this machine; buckets and regions have plain names.",
    fix: "https://HOST, the bucket's name, its region; credentials by the environment",
  },
  "BP-STORE-030": {
    title: "the database cannot be reached",
    exit: EXIT.unavailable,
    why: "Nobody answers at that address, or the connection broke while a question was asked. Nothing was changed.",
    fix: "Check that PostgreSQL runs there and lets you in: psql URL",
  },
  "BP-STORE-031": {
    title: "a database address that is not accepted",
    exit: EXIT.malformed,
    why: "A password in a URL ends up in process lists and logs; an sslmode that verifies nobody protects nothing.",
    fix: "postgres://user@host:port/database, and the password by PGPASSWORD or a password file of mode 0600",
  },
  "BP-STORE-032": {
    title: "the database may forget what it acknowledged",
    exit: EXIT.no,
    why: "synchronous_commit or fsync is off: after a crash the log's head could be an older one, and the log would fork.",
    fix: "Set both to on, for the server, the database and the role.",
  },
  "BP-STORE-033": {
    title: "the tables were made by a later version",
    exit: EXIT.no,
    why: "This version of bootproof does not know what they mean. Nothing was changed.",
    fix: "Use the later version.",
  },
  "BP-STORE-034": {
    title: "whether a write happened is not known",
    exit: EXIT.unavailable,
    why: "The connection broke, or time ran out, after the write was sent. Either it was done or it was not.",
    fix: "Run again: opening a log reads what was committed and goes on from there.",
  },
  "BP-STORE-035": {
    title: "the writer's lock was lost",
    exit: EXIT.unavailable,
    why: "The session that held it ended, or a pooler hands our statements to other sessions. Another writer may have it.",
    fix: "Run again; connect to PostgreSQL directly or through a pooler in session mode.",
  },
  "BP-STORE-036": {
    title: "the database refused a statement",
    exit: EXIT.cannotWrite,
    why: "The message has the server's own words and its SQLSTATE: missing rights, a wrong password, a time limit.",
    fix: "Give the role the rights: it needs CREATE on the database once, then USAGE on the schema bootproof.",
  },
  "BP-STORE-037": {
    title: "the database takes no writes",
    exit: EXIT.unavailable,
    why: "The server is a stand-by, or default_transaction_read_only is on.",
    fix: "Connect to the primary.",
  },
  "BP-STORE-038": {
    title: "the database answers something else than our tables hold",
    exit: EXIT.malformed,
    why: "Someone changed the tables of the schema bootproof, or something between speaks for the database.",
    fix: "Restore the schema from a backup, then: bootproof log audit --log DIR",
  },
};
