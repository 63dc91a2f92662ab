/**
 * The store's way of writing a file. Apart, so that verbs that write nothing do not load the store.
 * @module
 */
export { writeFileAtomic } from "@bootproof/store";
