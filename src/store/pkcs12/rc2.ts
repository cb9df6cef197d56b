/**
 * RC2 decryption in CBC mode (RFC 2268): only for certificates inside old PKCS#12 files, which hold nothing secret. Windows and OpenSSL
 * wrote them so for twenty years, under a key of 40 bits; no library brings it any more.
 */
const PI = Uint8Array.from(Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82' +
  '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
  '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
  'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
  '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
  '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad', 'hex'))

/** 64 words of 16 bits (§2). */
function expand(key: Uint8Array, effectiveBits: number): Uint16Array {
  const l = new Uint8Array(128)
  l.set(key)
  for (let i = key.length; i < 128; i++) l[i] = PI[(l[i - 1]! + l[i - key.length]!) & 0xff]!
  const t8 = (effectiveBits + 7) >> 3
  l[128 - t8] = PI[l[128 - t8]! & (0xff >> (8 * t8 - effectiveBits))]!
  for (let i = 127 - t8; i >= 0; i--) l[i] = PI[l[i + 1]! ^ l[i + t8]!]!
  return Uint16Array.from({ length: 64 }, (_, i) => l[2 * i]! | (l[2 * i + 1]! << 8))
}

/** One block backwards (§4). */
function decryptBlock(k: Uint16Array, r: Uint16Array): void {
  let j = 63
  const shifts = [1, 2, 3, 5]
  for (let round = 15; round >= 0; round--) {
    for (let i = 3; i >= 0; i--) {
      const s = shifts[i]!
      const rotated = ((r[i]! >>> s) | (r[i]! << (16 - s))) & 0xffff
      r[i] = rotated - k[j--]! - (r[(i + 3) & 3]! & r[(i + 2) & 3]!) - (~r[(i + 3) & 3]! & r[(i + 1) & 3]!)
    }
    if (round === 11 || round === 5) for (let i = 3; i >= 0; i--) r[i] = r[i]! - k[r[(i + 3) & 3]! & 63]!
  }
}

/** With PKCS#7 padding taken off; undefined where there is none. */
export function rc2CbcDecrypt(key: Uint8Array, effectiveBits: number, iv: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  if (data.length === 0 || data.length % 8 !== 0) return undefined
  const k = expand(key, effectiveBits)
  const out = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at += 8) {
    const r = Uint16Array.from({ length: 4 }, (_, i) => data[at + 2 * i]! | (data[at + 2 * i + 1]! << 8))
    decryptBlock(k, r)
    const before = at === 0 ? iv : data.subarray(at - 8, at)
    for (let i = 0; i < 8; i++) out[at + i] = ((r[i >> 1]! >> (8 * (i & 1))) & 0xff) ^ before[i]!
  }
  const padding = out.at(-1)!
  return padding >= 1 && padding <= 8 && out.subarray(-padding).every((o) => o === padding) ? out.subarray(0, -padding) : undefined
}
