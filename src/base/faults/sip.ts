import type { FaultEntry } from './index.ts'

const ask = 'Check the phone or its SIP settings; the message was not processed.'

export const sipFaults = {
  SIP_INTERNAL: { what: 'Internal error in the sip layer', todo: 'Please report it with the log.' },
  SIP_TRUNCATED: { what: 'A SIP message ends before its header section does', todo: ask },
  SIP_TOO_LARGE: { what: 'A SIP message is larger than is accepted', todo: ask },
  SIP_NOT_UTF8: { what: 'The header section of a SIP message is not UTF-8', todo: ask },
  SIP_BAD_START_LINE: { what: 'The first line of a SIP message is malformed', todo: ask },
  SIP_BAD_STATUS_LINE: { what: 'The first line of a SIP response is malformed', todo: ask },
  SIP_BAD_VERSION: { what: 'A SIP message has another version than SIP/2.0', todo: ask },
  SIP_BAD_URI: { what: 'A SIP URI is malformed', todo: ask },
  SIP_URI_TOO_LONG: { what: 'A SIP URI is longer than is accepted', todo: ask },
  SIP_BAD_HEADER: { what: 'A SIP header field is malformed', todo: ask },
  SIP_MISSING_HEADER: { what: 'A SIP message lacks a header field that it needs', todo: ask },
  SIP_REPEATED_HEADER: { what: 'A SIP header field that has one value is there twice', todo: ask },
  SIP_TOO_MANY_HEADERS: { what: 'A SIP message has more header fields or values than are accepted', todo: ask },
  SIP_BAD_LENGTH: { what: 'The Content-Length of a SIP message is wrong', todo: ask },
  SIP_CSEQ_MISMATCH: { what: 'The method in CSeq differs from the method of the request', todo: ask },
  SIP_UNKNOWN_METHOD: { what: 'A SIP request has an unknown method', todo: ask },
  SIP_CSEQ_ORDER: { what: 'A request inside a SIP dialog is older than one before it', todo: ask },
  SIP_BAD_DIGEST: { what: 'A digest header field is malformed', todo: ask },
  SIP_BIND: { what: 'A SIP address cannot be bound', todo: 'Choose another address or port, or end the program that has it.' },
  SIP_TLS: { what: 'SIP over TLS cannot start', todo: 'Check the key and the certificate of the phone leg.' },
  SIP_TOO_BUSY: { what: 'A source sends more SIP messages than are accepted', todo: 'Find the device that floods the network.' },
  SDP_MALFORMED: { what: 'A session description is malformed', todo: ask },
  SDP_NO_AUDIO: { what: 'A session description offers no usable audio stream', todo: 'Enable G.722, G.711 or Opus over RTP in the phone.' },
  SDP_SRTP_REFUSED: { what: 'A session description asks for SRTP in a way that is not accepted', todo: 'Use SDES over SIP/TLS, or set the srtp policy of the handset.' },
  SDP_SRTP_REQUIRED: { what: 'A session description offers plain RTP where SRTP is required', todo: 'Enable SDES-SRTP in the phone, or set the srtp policy of the handset.' },
} as const satisfies Record<string, FaultEntry>
