/** What a running server tells at its admin address, and who may ask. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { describe as lines } from '../../src/cli/server-status.ts'
import { noTotals } from '../../src/media/plane/types.ts'
import { adminMetrics } from '../../src/server/admin/index.ts'
import type { ServerStatus } from '../../src/server/index.ts'
import { realServer } from '../kit/real-server.ts'

function get(port: number, path: string, host = `127.0.0.1:${port}`, method = 'GET'): Promise<{ code: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const r = request({ host: '127.0.0.1', port, path, method, headers: { host }, agent: false }, (response) => {
      let text = ''
      response.on('data', (d: Buffer) => void (text += d.toString()))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, type: String(response.headers['content-type']), text }))
    })
    r.on('error', reject)
    r.end()
  })
}

test('metrics and status of a real server, for those who ask by address', async (t) => {
  const { server } = await realServer(t, { admin: { address: '127.0.0.1', port: 0 } })
  const { port } = server.admin!
  const metrics = await get(port, '/metrics')
  assert.equal(metrics.code, 200)
  assert.match(metrics.type, /^text\/plain; version=0\.0\.4/)
  assert.match(metrics.text, /^stc_sessions 0$/m)
  assert.match(metrics.text, /^stc_media_plane\{plane="(native|portable)"\} 1$/m)
  assert.match(metrics.text, /^stc_media_workers 1$/m)
  assert.match(metrics.text, /^stc_media_dropped_total\{reason="stray"\} 0$/m)
  assert.match(metrics.text, /^stc_room_commit_seconds_count 0$/m)
  const status = JSON.parse((await get(port, '/status')).text) as ServerStatus
  assert.equal(status.realm, 'stc')
  assert.ok(status.certificateEnds > Date.now() / 1000)
  assert.equal((await get(port, '/status', 'evil.example')).code, 403, 'a name that was made to point here')
  assert.equal((await get(port, '/status', 'localhost:1')).code, 200)
  assert.equal((await get(port, '/')).code, 404)
  assert.equal((await get(port, '/metrics', undefined, 'POST')).code, 405)
})

const LEG = { leg: 1, kind: 'hop', home: true, path: 'udp', address: undefined, received: 10, receivedOctets: 1000, sent: 20, sentOctets: 2000, refused: 3, limited: 2, unsent: 1, lastHeardAt: 5 }
const STREAM = { ssrc: 7, packets: 10, octets: 1000, lost: 9, jitterMs: 12, forged: 2, replayed: 1 }
const STATUS = {
  realm: 'example', uptimeSeconds: 3700, certificateEnds: 1_800_000_000, sessions: 2, plane: { provider: 'portable', workers: 1, fallback: { code: 'NATIVE_UNAVAILABLE', message: 'no koffi' }, buffers: { receive: 2, send: 3, wanted: 4 } }, own: { unsent: 6, overflowed: 8 },
  rooms: [{ room: 'board', generation: 1, epoch: '7', members: 3, waiting: 1 }], stray: 4, legs: [{ ...LEG, streams: [STREAM] }, { ...LEG, leg: 2, kind: 'plain', streams: [] }], past: { ...noTotals(), received: 100, forged: 5 },
} as unknown as ServerStatus

test('counters go on when legs are closed, and no name is in the metrics', async () => {
  const m = adminMetrics()
  m.commit(30)
  for (let i = 0; i < 2; i++) {
    const { text } = await m.expose(STATUS, [['SRTP_FORGED', 9]])
    for (const line of [
      'stc_sessions 2', 'stc_rooms 1', 'stc_room_members 3', 'stc_room_waiting 1', 'stc_legs{kind="hop",path="udp"} 1', 'stc_legs{kind="plain",path="udp"} 1',
      'stc_media_packets_total{direction="in"} 120', 'stc_media_packets_total{direction="out"} 40', 'stc_media_dropped_total{reason="refused"} 6', 'stc_media_dropped_total{reason="rate"} 4',
      'stc_media_authentication_failures_total 7', 'stc_media_replays_total 1', 'stc_media_lost_total 9', 'stc_media_dropped_total{reason="send"} 6', 'stc_media_dropped_total{reason="receive"} 8', 'stc_media_buffer_octets{direction="receive"} 2', 'stc_media_buffer_octets{direction="wanted"} 4', 'stc_media_jitter_seconds 0.012', 'stc_refusals_total{code="SRTP_FORGED"} 9', 'stc_room_commit_seconds_bucket{le="0.05"} 1',
    ]) assert.ok(text.split('\n').includes(line), line)
    assert.ok(!text.includes('board'))
  }
  const late = { ...STATUS, legs: [{ ...STATUS.legs[0]!, streams: [{ ...STATUS.legs[0]!.streams[0]!, lost: 7 }] }] }
  assert.match((await m.expose(late, [])).text, /^stc_media_lost_total 9$/m, 'a sum does not shrink where a packet was late')
})

test('status reads as sentences', () => {
  assert.deepEqual(lines(STATUS, 1_800_000_000_000 - 10 * 86_400_000), [
    'realm example, up 1 h 1 min',
    'media plane: portable, 1 worker (not native: no koffi)',
    '2 sessions, 1 room with 3 members, 1 bridged call leg',
    '  board: 3 members, 1 waiting, epoch 7',
    'certificate: ends 2027-01-15, in 10 days - RENEW IT SOON',
  ])
  assert.match(lines(STATUS, 1_800_000_000_000 + 86_400_000).at(-1)!, /^certificate: EXPIRED 1 day ago$/)
})
