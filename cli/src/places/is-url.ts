/**
 * Whether a log's place is elsewhere.
 * @module
 */

/** Whether a place is a URL and not a folder. */
export const isUrl = (place: string): boolean => /^https?:\/\//.test(place);
