import type { FaultEntry } from './index.ts'

const FORGED = 'Somebody in the room or on the way does not keep to the protocol: nothing was changed. If it persists, leave the room and create another one.'
const REJOIN = 'The client rejoins by itself; if that does not help, leave the room and dial it again.'
const JOIN_AGAIN = 'Dial the room again.'

export const mlsFaults = {
  MLS_INTERNAL: { what: 'Internal error in the mls layer', todo: 'Please report it with the log.' },
  MLS_MALFORMED: { what: 'A group message cannot be decoded', todo: FORGED },
  MLS_TOO_LARGE: { what: 'A group message is larger than allowed', todo: FORGED },
  MLS_NOT_PUBLIC_COMMIT: { what: 'Only commits by members, sent as public messages, are taken', todo: FORGED },
  MLS_EXTERNAL_SENDER: { what: 'Somebody who is not a member tried to change the group', todo: FORGED },
  MLS_PROPOSAL_FORBIDDEN: { what: 'A commit contains a kind of proposal that this room does not allow', todo: FORGED },
  MLS_PROPOSAL_BY_REFERENCE: { what: 'A commit refers to a proposal instead of containing it', todo: FORGED },
  MLS_PATH_MISSING: { what: 'A commit carries no update path', todo: FORGED },
  MLS_WRONG_GROUP: { what: 'A message belongs to another group', todo: FORGED },
  MLS_WRONG_EPOCH: { what: 'A message belongs to another epoch of the group', todo: REJOIN },
  MLS_REFUSED_BY_LIBRARY: { what: 'A group message does not verify', todo: FORGED },
  MLS_IDENTITY_CHANGED: { what: 'A commit changes whose leaf it is', todo: FORGED },
  MLS_EXTENSIONS: { what: 'A group message carries extensions other than the expected ones', todo: FORGED },
  MLS_CONTEXT_CHANGED: { what: 'A commit changes what is agreed for the group without the signature of a host', todo: FORGED },
  MLS_CREDENTIAL: { what: 'A member shows a credential that does not verify', todo: 'The member needs a valid certificate of an authority that everybody in the room trusts.' },
  MLS_KEY_PACKAGE: { what: 'A request to join is not well formed', todo: JOIN_AGAIN },
  MLS_KEY_PACKAGE_FOREIGN: { what: 'A request to join was made for another room, realm or suite', todo: JOIN_AGAIN },
  MLS_KEY_PACKAGE_EXPIRED: { what: 'A request to join has expired or claims to be valid for too long', todo: 'Check the clock of the joining computer, then dial the room again.' },
  MLS_KEY_PACKAGE_REUSED: { what: 'A request to join was used before', todo: JOIN_AGAIN },
  MLS_ALREADY_MEMBER: { what: 'This key is in the room already', todo: 'A member that lost its state rejoins: its old leaf is removed in the same step.' },
  MLS_REMOVAL: { what: 'A removal without a valid reason', todo: FORGED },
  MLS_POLICY: { what: 'The policy of the room is not well formed or not signed by who may sign it', todo: FORGED },
  MLS_POLICY_OLD: { what: 'The group follows an older policy than one seen before', todo: 'Ask the host what the policy is: somebody may have put an old one back.' },
  MLS_NOT_ADMITTED: { what: 'The policy of the room does not let this one in', todo: 'Ask a host of the room to be admitted.' },
  MLS_ROOM_FULL: { what: 'The room is full', todo: 'Wait until somebody leaves, or create a room with a higher limit.' },
  MLS_WELCOME: { what: 'A welcome does not fit the request that was made', todo: JOIN_AGAIN },
  MLS_TREE: { what: 'The members in a welcome do not verify', todo: FORGED },
  MLS_PENDING: { what: 'A commit of our own is still undecided', todo: 'Wait until it is confirmed or abandoned.' },
  MLS_NO_PENDING: { what: 'There is no commit of our own to confirm', todo: 'Nothing needs to be done: it was decided before.' },
  MLS_REMOVED: { what: 'We are no longer a member of the group', todo: JOIN_AGAIN },
  MLS_MESSAGE: { what: 'A message of a member is not a valid announcement of its stream', todo: FORGED },
  MLS_STREAM_TAKEN: { what: 'A member announces the stream of another member', todo: FORGED },
} as const satisfies Record<string, FaultEntry>
