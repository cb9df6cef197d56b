/**
 * What a request has to look like before anything else is done with it (docs/threat-model.md): our own name for ourselves
 * in Host, against DNS rebinding; our own origin, against pages of others; headers that keep the page to itself.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** No inline code, nothing from anywhere else, no frames, no forms; text becomes markup nowhere. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "media-src 'self' blob:", "worker-src 'self'",
  "manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
].join('; ')

export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Permissions-Policy': 'microphone=(self), speaker-selection=(self), camera=(), geolocation=(), display-capture=(), usb=(), serial=()',
}

/** The names that loopback has for a browser. */
const NAMES = ['127.0.0.1', 'localhost', '[::1]']

/** `Host` is one of ours: a name that somebody else's DNS points at us is not. */
export function ownHost(headers: IncomingHttpHeaders, port: number): boolean {
  return NAMES.some((name) => headers.host === `${name}:${port}`)
}

/** A request that changes or tells something comes from our own page: its origin is the host that it asks. */
export function ownOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  return headers.origin === `http://${headers.host}` && (site === undefined || site === 'same-origin')
}

/** The page's parts are fetched by the page itself or opened by the user; never as a part of another page. */
export function ownFetch(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return true
  // A link to the page that was followed: the page shows nothing to whoever has no session.
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}

export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';', 64)) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

/** The token among the subprotocols that a WebSocket offers; browsers let scripts set no other header. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',', 8).map((p) => p.trim())
  return offered.find((p) => p.startsWith('token.'))?.slice('token.'.length)
}
