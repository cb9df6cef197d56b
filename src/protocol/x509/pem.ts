/** PEM, the textual encoding of certificates and keys (RFC 7468). */

export interface PemBlock {
  /** What stands after BEGIN. */
  readonly label: string
  /** Undefined where it does not hold clean base64, as with the header lines of old encrypted keys. */
  readonly bytes: Uint8Array | undefined
  /** The block as it stands in the text. */
  readonly text: string
}

const MARK = /-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,62})-----/g
const BLOCKS_LIMIT = 1024

/** All blocks of a text, in order; what stands around them is ignored (RFC 7468 §2). One pass, whatever the text. */
export function decodePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let open: RegExpExecArray | undefined
  for (const mark of text.matchAll(MARK)) {
    const [whole, kind, label = ''] = mark
    if (kind === 'BEGIN') {
      open = mark
      continue
    }
    if (open === undefined || open[2] !== label || blocks.length === BLOCKS_LIMIT) continue
    const body = text.slice(open.index + open[0].length, mark.index)
    blocks.push({ label, bytes: fromBase64(body.replace(/[ \t\r\n]/g, '')), text: text.slice(open.index, mark.index + whole.length) })
    open = undefined
  }
  return blocks
}

/** A file as text: Windows tools write UTF-16 with a byte order mark; everything else is looked at octet by octet. */
export function pemText(file: Uint8Array): string {
  const [a, b] = file
  const utf16 = a === 0xff && b === 0xfe ? 0 : a === 0xfe && b === 0xff ? 1 : undefined
  let text = ''
  if (utf16 === undefined) for (const octet of file) text += String.fromCharCode(octet)
  else for (let i = 2; i + 1 < file.length; i += 2) text += String.fromCharCode(file[i + utf16]! | (file[i + 1 - utf16]! << 8))
  return text
}

/** The same file without certificates: what holds its key. The caller wipes it. */
export function withoutCertificates(file: Uint8Array): Uint8Array {
  const kept = decodePem(pemText(file)).filter((b) => !b.label.includes('CERTIFICATE')).map((b) => `${b.text}\n`).join('')
  return Uint8Array.from(kept, (c) => c.charCodeAt(0))
}

export function encodePem(label: string, bytes: Uint8Array): string {
  let binary = ''
  for (const octet of bytes) binary += String.fromCharCode(octet)
  const lines = btoa(binary).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function fromBase64(text: string): Uint8Array | undefined {
  if (text === '' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const binary = atob(text)
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}
