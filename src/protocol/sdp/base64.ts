/** Base64 (RFC 4648 §4), strict: padding there, no other characters, no bits left over. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const there = Math.min(3, bytes.length - i)
    for (let k = 0; k < 4; k++) text += k <= there ? alphabet[(group >> (18 - 6 * k)) & 63] : '='
  }
  return text
}

/** Some phones leave the padding of SDES keys out; that alone is forgiven. */
export function fromBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={0,2}$/, '')
  if (/[^A-Za-z0-9+/]/.test(digits) || digits.length % 4 === 1 || (digits.length !== text.length && text.length % 4 !== 0)) return undefined
  const bytes = new Uint8Array(Math.floor((digits.length * 6) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (const c of digits) {
    held = ((held << 6) | alphabet.indexOf(c)) & 0xffff
    bits += 6
    if (bits >= 8) bytes[at++] = (held >> (bits -= 8)) & 0xff
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
