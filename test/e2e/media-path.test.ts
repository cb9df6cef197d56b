/** How media reaches the server: over UDP, over the second TLS connection, in every suite, over IPv6. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { Firewall } from '../kit/firewall.ts'
import { conversation, hearEachOther, RealWorld } from '../kit/real-room.ts'
import { until } from '../kit/processes.ts'

describe('media', { concurrency: 2 }, () => {
  test('goes over the second TLS connection where UDP does not get through, and over UDP when it does again', async (t) => {
    const wall = await Firewall.start(t)
    const w = await RealWorld.start(t, wall.advertised)
    wall.server = w.server.media.port
    const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
    await conversation(a, b, w)
    await until(15_000, 'the ways tls and tls', () => (a.path === 'tls' && b.path === 'tls' ? true : undefined), () => `${a.path}, ${b.path}`)
    assert.ok(wall.swallowed > 0)
    wall.open = true
    await until(15_000, 'UDP again', () => (a.path === 'udp' && b.path === 'udp' ? true : undefined))
    await hearEachOther(a, b)
  })

  test('goes over TLS alone, or never over it, as the configuration says', async (t) => {
    const w = await RealWorld.start(t)
    const [a, b] = await Promise.all([w.member('Ann', { hz: 500, server: { mediaOverTls: 'only' } }), w.member('Ben', { hz: 800, server: { mediaOverTls: 'never' } })])
    await conversation(a, b, w)
    await until(15_000, 'the ways tls and udp', () => (a.path === 'tls' && b.path === 'udp' ? true : undefined), () => `${a.path}, ${b.path}`)
  })

  test('is protected by the suite that each client chose', async (t) => {
    const wall = await Firewall.start(t)
    const w = await RealWorld.start(t, wall.advertised)
    wall.server = w.server.media.port
    wall.open = true
    const [a, b] = await Promise.all([w.member('Ann', { hz: 500, server: { suites: ['AES_CM_128_HMAC_SHA1_80'] } }), w.member('Ben', { hz: 800, server: { suites: ['AEAD_AES_256_GCM'] } })])
    await conversation(a, b, w)
    // Their tags have 10 and 16 octets.
    const [shorter, longer] = wall.shortest.sort((x, y) => x - y)
    assert.equal(longer! - shorter!, 6, wall.shortest.join())
  })

  test('and the channel go over IPv6', async (t) => {
    if (!Object.values(networkInterfaces()).flat().some((a) => a?.address === '::1')) return t.skip('this machine has no ::1')
    const w = await RealWorld.start(t, {}, '::1')
    const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
    await conversation(a, b, w)
    await until(15_000, 'UDP', () => (a.path === 'udp' && b.path === 'udp' ? true : undefined))
  })
})
