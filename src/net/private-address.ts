/** RFC 1918, RFC 6598, RFC 4193, RFC 3927: addresses that a phone behind a NAT may put in its SDP. */
export const isPrivate = (a: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/.test(a) || /^(f[cd][0-9a-f]{2}|fe80):/i.test(a)
