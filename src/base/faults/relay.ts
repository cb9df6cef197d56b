import type { FaultEntry } from './index.ts'

export const relayFaults = {
  RELAY_INTERNAL: { what: 'Internal error in the SIP relay', todo: 'Please report it with the log.' },
  RELAY_DOWN: { what: 'The telephone system cannot be reached', todo: 'Check the server and the PBX; the phone may use its second server.' },
  RELAY_NO_WAY: { what: 'No way leads to the telephone provider', todo: 'Check the network of this machine, and the name under upstream.providers; it is tried again every few seconds, and rooms and page go on.' },
  RELAY_MOVED: { what: 'This machine is in another network now, and the call that ran over the one before has ended', todo: 'Call again.' },
  RELAY_PHONE_GONE: { what: 'A phone no longer answers in its call, which is ended', todo: 'Look at the phone: it was switched off, lost its network, or was started anew.' },
  RELAY_NO_PBX: { what: 'This server has no telephone system behind it', todo: 'Configure `sip` on the server, or dial a sealed room.' },
  RELAY_NO_TARGET: { what: 'Nobody is registered here under this address', todo: 'Register the phone again.' },
  RELAY_BAD_MESSAGE: { what: 'The other half of the relay sent a SIP message that is none', todo: 'Check that client and server are of the same release; the message was not processed.' },
  RELAY_MISMATCH: { what: 'A SIP response fits no request, or another one than it names', todo: 'Nothing was passed on; if it goes on, the other side is broken or hostile.' },
  RELAY_REPLAY: { what: 'A SIP request came twice through the tunnel', todo: 'Nothing was passed on; if it goes on, the other side is broken or hostile.' },
  RELAY_FLOOD: { what: 'More SIP requests than are accepted', todo: 'Wait a little; find the phone that sends so many.' },
  RELAY_TOO_MANY: { what: 'More calls at once than are accepted', todo: 'End another call first.' },
  RELAY_OTHERS_NAME: { what: 'The extension in From is registered by somebody else', todo: 'Register this extension with its password first.' },
  RELAY_GUESSING: { what: 'Too many wrong passwords from this client', todo: 'Correct the password in the phone and wait a few minutes.' },
  RELAY_MEDIA_ELSEWHERE: { what: 'A session description points the media at another host than the phone', todo: 'Let the phone use one address for SIP and RTP, and switch off STUN and ICE in it.' },
  RELAY_NOT_YOURS: { what: 'The certificate of this phone is not that of the extension it names', todo: 'Name the extension and its owner under `phones.extensions` at the server, or correct the account in the phone.' },
  RELAY_KEY_REUSED: { what: 'A phone offers an SRTP key that protects something else already', todo: 'Call again; if it goes on, the phone makes its keys badly: update it.' },
  RELAY_BODY: { what: 'A SIP message has a body that cannot be relayed', todo: 'Switch off multipart or compressed bodies in the phone.' },
  RELAY_FAX: { what: 'A fax is to be sent as data (T.38), which is neither sealed nor relayed', todo: 'Nothing, where the fax goes on as sound (G.711); else switch off T.38 in the fax machine or its adapter.' },
  RELAY_SRTP: { what: 'The telephone system asks for SRTP, which is not spoken with it', todo: 'Switch off SRTP for these accounts at the telephone system (Asterisk: media_encryption=no); that way is protected by having server and telephone system on one machine.' },
} as const satisfies Record<string, FaultEntry>
