/** A telephone without a screen in a real conference in virtual time: keys in, tones and words out. */
import assert from 'node:assert/strict'
import type { CallRef, Handset } from '../../src/client/handset/port.ts'
import { PhoneCalls } from '../../src/client/phone-calls.ts'
import { SENTENCES } from '../../src/client/speech/sentences.ts'
import type { MediaCommand } from '../../src/media/api.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import type { WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'
import { toneLevel } from '../kit/tones.ts'

/** The phone of a member that is in: what it is told in words, in order, and how many tones it heard. */
class Desk {
  readonly said: string[] = []
  readonly #media: MediaCommand[] = []
  readonly #phones: PhoneCalls
  readonly #phone: ReturnType<PhoneCalls['open']>

  constructor(m: WorldMember) {
    this.#phones = new PhoneCalls((c) => this.#media.push(c), () => {}, async (s) => {
      this.said.push(s.text(SENTENCES.en))
      return Int16Array.of(1)
    })
    const handset = { line: 'desk', command() {}, subscribe: () => ({ [Symbol.dispose]() {} }), [Symbol.dispose]() {} } as Handset
    const media = { kind: 'rtp', codec: 'g722', payloadType: 9, ptimeMs: 20, remote: { address: '127.0.0.1', port: 4000 }, hold: false, send: true } as const
    this.#phone = this.#phones.open(handset, { kind: 'dial', call: m.name as CallRef, line: 'desk', target: '8r', contact: m.name, media }, 1)
    this.#phone.running = m.call
    this.#phones.answer(this.#phone, { joined: true, local: { address: '127.0.0.1', port: 1 } })
    m.watcher = { onEvent: (call, e) => this.#phones.event(call, e) }
  }
  press(keys: string): void {
    for (const k of keys) this.#phones.digit(this.#phone, k)
  }
  get played(): number {
    return this.#media.filter((c) => c.op === 'phone.play').length
  }
}

const level = (m: WorldMember, from: number, to: number, hz: number): number => toneLevel(m.heardBetween(from, to), 16_000, hz)

seededTest('keys of a phone: *1 mutes, *5 says who is here, *6 the code, *7 locks for a host alone, and every phone is told', async (seed, t) => {
  const w = await worldFor(t, { seed })
  const [ann, ben, cas] = [await w.join('Ann', { hz: 440 }), await w.join('Ben'), await w.join('Cas')]
  await agree(w, [ann, ben, cas])
  const desks = [ann, ben, cas].map((m) => new Desk(m))
  const [anns, bens, cass] = desks as [Desk, Desk, Desk]

  bens.press('*5')
  cass.press('*6')
  anns.press('*6')
  await w.run(100)
  const [who] = bens.said
  assert.match(who!, /^3 people are here\. You, /)
  assert.deepEqual(who!.match(/Ann|Ben|Cas/g)!.sort(), ['Ann', 'Cas'], 'the others, by their certificates')
  const spelled = (code: string): string => [...code.replaceAll(' ', '')].join(' ')
  assert.equal(cass.said[0]!.replaceAll(',', ''), `The security code is: ${spelled(cas.roster.securityCode)}.`)
  assert.deepEqual(anns.said, cass.said, 'the same code at both ends')

  // Nobody but a host: said to who tried, and nothing changes.
  bens.press('*7')
  await w.run(2000)
  assert.equal(bens.said.at(-1), 'Only a host can do that.')
  assert.ok([ann, ben, cas].every((m) => m.roster.policy?.state.locked === false))

  anns.press('*7')
  await w.until(() => [ann, ben, cas].every((m) => m.roster.policy?.state.locked === true), 5000, 'the lock')
  await w.run(100)
  for (const d of desks) assert.equal(d.said.at(-1), 'The room is locked.')
  const dan = await w.arrive('Dan')
  dan.dial()
  await w.until(() => ann.roster.knocking.length === 1, 10_000, 'the knock')
  anns.press('*7')
  await w.until(() => [ann, ben, cas].every((m) => m.roster.policy?.state.locked === false), 5000, 'unlocked')
  await w.run(100)
  for (const d of desks) assert.equal(d.said.at(-1), 'The room is open.')

  const before = w.clock.now()
  await w.run(2500)
  anns.press('*1')
  const muted = w.clock.now()
  await w.run(3500)
  anns.press('*1')
  await w.run(3500)
  const end = w.clock.now()
  assert.ok(level(ben, before + 1000, before + 2000, 440) > -40)
  assert.ok(level(ben, muted + 1000, muted + 2500, 440) < -90, 'silence, sealed like speech')
  assert.ok(level(ben, end - 2200, end - 1200, 440) > -40)
  for (const d of desks) assert.ok(d.played > d.said.length, 'a tone for what was heard happen')
})
