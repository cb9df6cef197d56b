import type { FaultEntry } from './index.ts'

const NOT_PLAYED = 'The frame is not played; nothing needs to be done if it stops within a second.'

/** Frames of sealed calls and the agreement on their keys. */
export const sealedCallFaults = {
  FRAMESEAL_LENGTH: { what: 'A sealed frame has a length that none has', todo: NOT_PLAYED },
  FRAMESEAL_NO_KEYS: { what: 'Nothing can be sealed yet', todo: 'Wait until the other side has agreed on keys.' },
  FRAMESEAL_REPLAYED: { what: 'A sealed frame came twice', todo: NOT_PLAYED },
  FRAMESEAL_OLD: { what: 'A sealed frame came long after its turn', todo: NOT_PLAYED },
  FRAMESEAL_FORGED: { what: 'A frame is not from the other side, or was changed on the way', todo: 'It is not played. If all are, the way between converts the sound: ask the provider for a codec without conversion.' },
  FRAMESEAL_EXHAUSTED: { what: 'All numbers of frames under this key are used', todo: 'New keys are agreed on by themselves; if sound stays away, call again.' },
  FRAMESEAL_CHAIN: { what: 'A frame of the profile `chained` came after one that is missing', todo: NOT_PLAYED },
  KEYAGREEMENT_MALFORMED: { what: 'A message of the key agreement is malformed', todo: 'Nothing was accepted; if this goes on, somebody changes what the two sides say.' },
  KEYAGREEMENT_SECOND_MESSAGE: { what: 'A second, different message of the key agreement came where one is allowed', todo: 'Somebody in the way tried something: hang up and call again; compare the words.' },
  KEYAGREEMENT_UNEXPECTED: { what: 'A message of the key agreement came out of turn', todo: 'Nothing was accepted. Call again if the call does not become sealed.' },
  KEYAGREEMENT_REFLECTED: { what: 'Our own values came back from the other side', todo: 'Somebody in the way sends us our own messages: nothing was accepted.' },
  KEYAGREEMENT_COMMITMENT: { what: 'The other side opened something else than it had committed to', todo: 'Somebody in the way tried to choose the words: hang up, call on another way.' },
  KEYAGREEMENT_VERSION: { what: 'The two sides have no version of the key agreement in common', todo: 'Update stc on the older side.' },
  KEYAGREEMENT_OFFERS: { what: 'The two sides were told different things about the call', todo: 'Somebody in the way changed the codec or the carrier: call on another way.' },
  KEYAGREEMENT_KEY: { what: 'The other side sent a key that is none', todo: 'Nothing was accepted. Call again.' },
  KEYAGREEMENT_CONFIRMATION: { what: 'The two sides do not have the same keys', todo: 'Somebody in the way changed the messages, or a password differs: nothing is played. Call again.' },
  KEYAGREEMENT_IDENTITY: { what: 'The certificate of the other side is not accepted', todo: 'See the reason; the call stays muted.' },
  KEYAGREEMENT_SIGNATURE: { what: 'The signature under the key agreement is wrong', todo: 'Somebody pretends to be the holder of that certificate: hang up.' },
  KEYAGREEMENT_PASSWORD: { what: 'The two sides do not have the same password', todo: 'Agree on one password on another way, both enter it, and call again. If you did: somebody in the way tries passwords.' },
  KEYAGREEMENT_TIMEOUT: { what: 'The other side stopped answering during the key agreement', todo: 'Call again; if it stays so, the way between loses or holds back the messages.' },
  KEYAGREEMENT_ABORTED: { what: 'The other side gave up the key agreement', todo: 'Its reason stands beside; call again.' },
  CALL_PASSWORD: { what: 'The password for calls with a number was not set', todo: 'Give one of 1 to 256 characters, twice the same, on a terminal, or the first line of a file (--password-file).' },
  CALL_MEETINGS_FULL: { what: 'Too many calls agree on keys over the server at once', todo: 'The call is sealed on another way; nothing needs to be done.' },
  CALL_MEETING_TAKEN: { what: 'Two others agree on keys under this name already', todo: 'Somebody listens to what is said in the call before it is sealed: compare the words.' },
  CALL_MEETING_UNKNOWN: { what: 'The other side of a call has left the server before keys were agreed on', todo: 'The call is sealed on another way; call again if it is not.' },
  FRAMESEAL_EPOCH_REUSED: { what: 'An epoch was to be used a second time before its old key was gone', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
