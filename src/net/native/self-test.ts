/** Sends datagrams to ourselves over loopback: struct layouts, constants and calls are right on this system, or are not used. */
import { err, ok, type Result } from '../../base/result.ts'
import type { NativeLoop } from './loop.ts'

const BUFFER_OCTETS = 1 << 16
const TRIES = 50
const WAIT_MS = 2

/** Fails with NATIVE_CALL. Takes about a millisecond. */
export function loopSelfTest(loop: NativeLoop): Result<void> {
  const here = { address: '127.0.0.1', port: 0 }
  const from = loop.bind(here, { bufferOctets: BUFFER_OCTETS })
  if (!from.ok) return from
  const to = loop.bind(here, { bufferOctets: BUFFER_OCTETS })
  if (!to.ok) {
    from.value.close()
    return to
  }
  const wanted = [100, 100, 0, 1333].map((length, n) => new Uint8Array(length).fill(n + 1))
  const wrong: string[] = []
  let got = 0
  to.value.onMessage((data, sender) => {
    const w = wanted[got++]
    if (w === undefined || data.length !== w.length || !data.every((b, i) => b === w[i])) wrong.push(`datagram ${got} of ${data.length} octets`)
    if (sender.address !== here.address || sender.port !== from.value.local.port) wrong.push(`a datagram from ${sender.address}:${sender.port}`)
  })
  for (const w of wanted) from.value.send(w, to.value.local)
  for (let i = 0; i < TRIES && got < wanted.length; i++) loop.turn(WAIT_MS)
  from.value.close()
  to.value.close()
  if (got < wanted.length) wrong.push(`${got} of ${wanted.length} datagrams arrived`)
  return wrong.length === 0 ? ok(undefined) : err('NATIVE_CALL', `self-test: ${wrong.join(', ')}`)
}
