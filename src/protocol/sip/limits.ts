/** Sizes beyond which a message is refused. Generous for phones, small for attackers. */
export const limits = {
  /** Octets of a whole message, on any transport: what fits a UDP datagram. */
  message: 65535,
  /** Octets of the start line and all header fields. */
  head: 32768,
  headerFields: 200,
  uri: 2048,
  /** Values in one comma-separated field, Via included. */
  values: 70,
  parameters: 40,
} as const
