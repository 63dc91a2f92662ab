/**
 * What the exit status of every verb means: 0 to 2 are answers, 64 and above say why there is none
 * (the numbers of sysexits.h).
 * @module
 */

/** The exit statuses, by what they mean. */
export const EXIT = {
  /** Yes, or done. */
  yes: 0,
  /** No: it was checked and does not hold. */
  no: 1,
  /** Could not decide. */
  undecided: 2,
  /** The command line is wrong. */
  usage: 64,
  /** An input is malformed or hostile. */
  malformed: 65,
  /** An input file is missing or unreadable. */
  noInput: 66,
  /** A service or mirror cannot be reached. */
  unavailable: 69,
  /** A bug of ours. */
  bug: 70,
  /** Writing failed. */
  cannotWrite: 74,
  /** Trying again may help. */
  tryAgain: 75,
  /** Not authorised. */
  notAuthorised: 77,
  /** A recipe, configuration or policy is invalid. */
  badConfig: 78,
  /** Interrupted by SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** One of the exit statuses of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
