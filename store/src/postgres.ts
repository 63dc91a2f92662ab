/**
 * @bootproof/store/postgres: a log's head, private objects and queue in a PostgreSQL database.
 * @module
 */
export { PostgresDatabase, type PostgresOptions } from "./postgres-database.ts";
export { PostgresHead } from "./postgres-head.ts";
export { PostgresLock } from "./postgres-lock.ts";
export { PostgresObjects } from "./postgres-objects.ts";
export { PostgresQueue, type Pending, type Queued, type Settled } from "./postgres-queue.ts";
