/** One silent client, reduced to what the server sees of it. */
import { WebSocket } from 'ws'
import type { TLSSocket } from 'node:tls'
import { ssrc } from '../src/base/brand.ts'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import type { AddressPort } from '../src/net/address.ts'
import type { UdpSocket } from '../src/net/udp.ts'
import { createHopOffer, finishHop, HOP_EXPORTER_LABEL, HOP_EXPORTER_LENGTH } from '../src/protocol/hop/agreement.ts'
import { decodeServerMessage, encodeClientMessage } from '../src/protocol/wire/codec.ts'
import type { ClientMessage, ServerMessage } from '../src/protocol/wire/messages.ts'
import { MediaClient } from '../test/kit/media-client.ts'

export interface IdleClient {
  readonly media: MediaClient
  readonly open: boolean
  readonly pongs: number
  ping(): void
}

const crypto = createNodeCrypto()

export async function openIdle({ server, certificate, key }: { readonly server: AddressPort; readonly certificate: string; readonly key: string }, socket: UdpSocket): Promise<IdleClient> {
  const ws = new WebSocket(`wss://${server.address}:${server.port}/`, ['stc.v1'], { cert: certificate, key, rejectUnauthorized: false, perMessageDeflate: false, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' })
  const tls = await new Promise<TLSSocket>((resolve, reject) => {
    let socket: TLSSocket
    ws.once('upgrade', (response) => (socket = response.socket as TLSSocket))
    ws.once('open', () => resolve(socket))
    ws.once('error', reject)
  })
  let pongs = 0
  let expected: ((m: ServerMessage) => void) | undefined
  ws.on('message', (data: Buffer) => {
    const m = decodeServerMessage(new Uint8Array(data))
    if (m.ok && m.value.k === 'pong') pongs++
    else if (m.ok) expected?.(m.value)
  })
  ws.on('error', () => {})
  const say = (m: ClientMessage): void => ws.send(must(encodeClientMessage(m)))
  const ask = <K extends ServerMessage['k']>(m: ClientMessage, k: K): Promise<Extract<ServerMessage, { k: K }>> => new Promise((resolve, reject) => {
    expected = (got) => {
      if (got.k === k) resolve(got as Extract<ServerMessage, { k: K }>)
      else if (got.k === 'fault') reject(new Error(got.message))
    }
    ws.once('close', (code) => reject(new Error(`closed: ${code}`)))
    say(m)
  })
  const { udp } = await ask({ k: 'hello', minVersion: 1, maxVersion: 1, capabilities: [], agent: 'bench' }, 'welcome')
  const offer = createHopOffer(crypto, { generation: 1, suites: ['AEAD_AES_128_GCM'] })
  const answer = await ask({ k: 'hop-offer', generation: 1, message: offer.message }, 'hop-answer')
  const keys = must(finishHop(crypto, offer.state, answer.message, (context) => new Uint8Array(tls.exportKeyingMaterial(HOP_EXPORTER_LENGTH, HOP_EXPORTER_LABEL, Buffer.from(context)))))
  ws.removeAllListeners('close')
  const media = new MediaClient(crypto, socket, udp[0]!, { generation: 1, probe: ssrc(answer.probe), receive: keys.send, send: keys.receive })
  return {
    media,
    get open() {
      return ws.readyState === WebSocket.OPEN
    },
    get pongs() {
      return pongs
    },
    ping: () => say({ k: 'ping', n: pongs }),
  }
}
