/** Who has no certificate of the realm gets nowhere, and both ends say why. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { unixTime } from '../../src/base/brand.ts'
import { until } from '../kit/processes.ts'
import { RealMember, RealWorld } from '../kit/real-room.ts'
import { DAY_S, newAuthority, papersFor, rawConnect } from '../kit/real-server.ts'

const daysAgo = (n: number) => unixTime(Math.floor(Date.now() / 1000) - n * DAY_S)

describe('at a real server', () => {
  test('a member of another authority is refused with the reason at both ends', async (t) => {
    const w = await RealWorld.start(t)
    const other = newAuthority('Other CA')
    // It trusts our server; the server does not trust it.
    const m = await w.member('Mallory', { hz: 500, papers: papersFor(other, { name: 'Mallory' }), trusted: [w.ca, other] })
    const fault = await until(15_000, 'refusal', () => m.faults[0])
    assert.equal(fault.code, 'CHANNEL_REFUSED')
    assert.equal(fault.cause?.code, 'IDENTITY_UNKNOWN_ISSUER', fault.message)
    assert.match(fault.message, /IDENTITY_UNKNOWN_ISSUER/)
    assert.equal(w.log.find((l) => l.code === 'IDENTITY_UNKNOWN_ISSUER')?.text, fault.cause?.message)
    m.robot!.dial('8100')
    assert.equal(m.call, undefined)
    assert.deepEqual((await w.server.status()).rooms, [])
  })

  test('an expired certificate is refused before it is even shown, and by the server when it is', async (t) => {
    const w = await RealWorld.start(t)
    const papers = papersFor(w.ca, { now: daysAgo(30), lifetimeDays: 7 })
    const own = await w.tryMember(new RealMember('Late', { papers }))
    assert.ok(!own.ok)
    assert.match(own.fault.code, /EXPIRED/, own.fault.message)
    const raw = await rawConnect(w.port, papers)
    assert.ok(raw.kind === 'refused' && raw.status === 403)
    assert.match(raw.body.code, /EXPIRED/)
    assert.equal(w.log.find((l) => l.code === raw.body.code)?.text, raw.body.message)
  })

  test('no certificate is refused with the reason', async (t) => {
    const w = await RealWorld.start(t)
    const raw = await rawConnect(w.port, undefined)
    assert.ok(raw.kind === 'refused' && raw.status === 403 && raw.body.code === 'CHANNEL_NO_CERTIFICATE')
    assert.equal(w.log.find((l) => l.code === 'CHANNEL_NO_CERTIFICATE')?.text, raw.body.message)
  })

  test('a server of another authority is refused by the client', async (t) => {
    const w = await RealWorld.start(t)
    const other = newAuthority('Other CA')
    const m = await w.member('Careful', { papers: papersFor(other, { name: 'Careful' }), trusted: [other] })
    const fault = await until(15_000, 'refusal', () => m.faults[0])
    assert.equal(fault.code, 'CHANNEL_TLS')
    assert.equal(fault.cause?.cause?.code, 'IDENTITY_UNKNOWN_ISSUER', fault.message)
  })
})
