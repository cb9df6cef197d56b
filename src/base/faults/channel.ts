import type { FaultEntry } from './index.ts'

export const channelFaults = {
  CHANNEL_INTERNAL: { what: 'Internal error in the channel layer', todo: 'Please report it with the log.' },
  CHANNEL_BAD_CBOR: { what: 'A message is not CBOR of the kind that the channel uses', todo: 'The other side is broken, hostile, or speaks another protocol.' },
  CHANNEL_TOO_LONG: { what: 'A message of the channel is longer than allowed', todo: 'The other side is broken or hostile.' },
  CHANNEL_BAD_MESSAGE: { what: 'A message of the channel has a missing or wrong field', todo: 'Update the older of client and server; if both are current, please report it.' },
  CHANNEL_UNKNOWN_KIND: { what: 'A message of the channel is of an unknown kind', todo: 'Update the older of client and server.' },
  CHANNEL_VERSION: { what: 'Client and server have no protocol version in common', todo: 'Update the older of the two.' },
  CHANNEL_ORDER: { what: 'A message of the channel came at the wrong time', todo: 'The other side is broken or hostile.' },
  CHANNEL_FLOOD: { what: 'More messages came than one connection may send', todo: 'The connection was closed; connect again.' },
  CHANNEL_SLOW: { what: 'The other side does not take its messages fast enough', todo: 'The connection was closed; check the network and connect again.' },
  CHANNEL_SILENT: { what: 'Nothing was heard from the other side', todo: 'Check the network; the client connects again by itself.' },
  CHANNEL_CLOSED: { what: 'The connection between client and server is closed', todo: 'The client connects again by itself.' },
  CHANNEL_UNREACHABLE: { what: 'The server cannot be reached', todo: 'Check the address, the port, the firewall, and that the server runs.' },
  CHANNEL_TLS: { what: 'No secure connection to the server came about', todo: 'Check that the port is that of an stc server and that both certificates are in order.' },
  CHANNEL_REFUSED: { what: 'The server refused the connection', todo: 'Follow what the server says, or ask who runs it.' },
  CHANNEL_NO_CERTIFICATE: { what: 'The client showed no certificate', todo: 'Give the client a certificate that was issued by an authority which the server trusts.' },
  CHANNEL_UNKNOWN_SESSION: { what: 'The second connection for media belongs to no session of this certificate', todo: 'Open the control channel first and use the session of its welcome.' },
  CHANNEL_NOT_STC: { what: 'The other side does not speak the channel protocol', todo: 'Check address and port.' },
  CHANNEL_TOO_MANY: { what: 'The server has as many connections as it takes', todo: 'Try again later, or raise the limit in its configuration.' },
} as const satisfies Record<string, FaultEntry>
