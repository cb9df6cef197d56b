/** Limits of what Asterisk (or whoever holds its port) may send us. */

/** Octets of one line, without its end. */
export const LINE_LIMIT = 8192
/** Lines of one AMI message. */
export const MESSAGE_LINES_LIMIT = 512
/** Characters of one AMI message. */
export const MESSAGE_LIMIT = 64 * 1024
/** Events of one list, e.g. members of a conference. */
export const LIST_LIMIT = 4096
/** Actions that wait for their answer. */
export const ACTIONS_LIMIT = 256
/** Lines of the environment that opens an AGI session. */
export const AGI_ENVIRONMENT_LIMIT = 256
