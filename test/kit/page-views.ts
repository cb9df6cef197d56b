/** Every view of the page, and how to come there: for pictures, and for whoever checks all of them. */
import type { Page } from 'playwright-core'
import { makeFault } from '../../src/base/result.ts'
import type { CallState } from '../../src/model/roster.ts'
import { inGroup, met, person, type Staged, type StagedCall } from './staged-page.ts'

export interface View {
  readonly name: string
  readonly show: (s: Staged, page: Page) => Promise<void>
}

const FIVE = [0, 1, 2, 3, 4].map((i) => inGroup(i))

/** Five people, one of whom cannot be heard. */
function meeting(s: Staged): StagedCall {
  const call = s.call()
  call.group(FIVE[0]!, FIVE[1]!)
  call.member()
  call.group(...FIVE.slice(0, 4))
  call.group(...FIVE)
  for (const m of FIVE) call.event({ kind: 'confirmed', at: call.startedAt as never, leaf: m.leaf, ssrc: m.ssrc! })
  for (let second = 1; second < 20; second++) call.stats(second, [1, 2, 3, 4])
  return call
}
/** Alone in the echo room, while it records. */
async function echo(s: Staged, page: Page): Promise<StagedCall> {
  await press(page, /^(Try it|Ausprobieren)$/)
  const call = s.call(s.page.hub.echoRoom)
  call.member()
  call.group(FIVE[0]!)
  await page.getByText(/Speak now|Jetzt sprechen/).waitFor()
  return call
}
const heading = (page: Page, text: RegExp): Promise<unknown> => page.getByRole('heading', { name: text }).first().waitFor()
const press = (page: Page, name: RegExp): Promise<void> => page.getByRole('button', { name }).first().click()

const SEALED_CALLS: readonly (readonly [CallState['state'], readonly string[], RegExp])[] = [
  ['sealed', ['harbour', 'violin', 'meadow', 'copper'], /Only you and the other side|Nur Sie und die Gegenseite/],
  ['asking', [], /Not sealed: nobody hears you|Nicht versiegelt/],
  ['doubt', ['anchor', 'winter', 'pencil', 'orange'], /not clear who this is|unklar, wer das ist/],
  ['lost', [], /not from the other side|nicht von der Gegenseite/],
  ['agreeing', [], /Agreeing on keys|Schlüssel werden vereinbart/],
]

export const VIEWS: readonly View[] = [
  {
    name: 'rooms-with-people',
    show: async (s, page) => {
      s.memory.people = [met(1, { compared: true, comparedAt: 1_790_000_000 }), met(2), met(3, { changed: true }), met(4, { blocked: true }), ...[5, 6, 7, 8, 9, 10].map((i) => met(i))]
      const now = Date.now()
      s.memory.past = [
        { room: 'call-1', startedAt: now - 60_000, endedAt: now, people: [], person: { name: person(1).subject, to: person(1).keyId }, direction: 'missed' },
        { room: 'call-2', startedAt: now - 3_900_000, endedAt: now - 3_600_000, people: [person(2).subject], person: { name: person(2).subject, to: person(2).keyId }, direction: 'out' },
        { room: 'weekly', startedAt: now - 90_000_000, endedAt: now - 86_400_000, people: [1, 2, 3, 4, 5, 6].map((i) => person(i).subject) },
        { room: '100', startedAt: now - 180_000_000, endedAt: now - 180_000_000, people: [], fault: { code: 'CLIENT_NOT_LET_IN', message: 'Nobody in the room let us in in time.' } },
      ]
      s.page.hub.configure({})
      await page.getByRole('button', { name: /Call 100 again|100 noch einmal/ }).waitFor()
    },
  },
  {
    name: 'two-calls',
    show: async (s, page) => {
      const calls = (['sealed', 'asking'] as const).map((state, i) => {
        const call = s.call(`555-010${i}`)
        call.event({ kind: 'sealed-call', at: call.startedAt as never, number: call.name, state, words: SEALED_CALLS.find(([x]) => x === state)![1] })
        return call
      })
      await page.getByRole('tab', { name: calls[0]!.name }).click()
      await heading(page, /^In your call 555-0101|^In Ihrem Gespräch 555-0101/)
    },
  },
  {
    name: 'rooms-forget',
    show: async (s, page) => {
      meeting(s).over()
      await press(page, /^(Clear|Leeren)$/)
    },
  },
  {
    name: 'ringing',
    show: async (s, page) => {
      s.ring(2)
      await page.getByRole('dialog').getByText(/calls you|ruft Sie an/).waitFor()
    },
  },
  {
    name: 'ringing-in-a-call',
    show: async (s, page) => {
      meeting(s)
      s.memory.people = [met(1, { compared: true, comparedAt: 1_790_000_000 })]
      s.ring(1)
      s.ring(3)
      await page.getByRole('dialog').getByText(/calls you|ruft Sie an/).waitFor()
    },
  },
  {
    name: 'ringing-changed',
    show: async (s, page) => {
      s.memory.people = [met(4, { changed: true })]
      s.ring(4)
      await page.getByRole('dialog').getByText(/another key|anderen Schlüssel/).waitFor()
    },
  },
  {
    name: 'line-rooms',
    show: async (s, page) => {
      s.memory.past = [{ room: '+49305550123', startedAt: Date.now() - 3_900_000, endedAt: Date.now() - 3_600_000, people: [], direction: 'in', telephone: true }, { room: '102', startedAt: Date.now() - 90_000_000, endedAt: Date.now() - 90_000_000, people: [], direction: 'missed', telephone: true }]
      s.line()
      await page.getByText(/are called by telephone|als Telefonnummern gewählt/).waitFor()
    },
  },
  {
    name: 'line-phone',
    show: async (s, page) => {
      s.line({ registered: false, fault: makeFault('LINE_PASSWORD', '403') })
      await press(page, /^(Phone and sound|Telefon und Ton)$/)
      await page.getByText(/not registered yet|noch nicht angemeldet/).waitFor()
    },
  },
  {
    name: 'line-ringing',
    show: async (s, page) => {
      s.line({ rings: [{ id: 'a', number: '+49 30 5550123', name: 'Praxis Dr. Lang', at: 0 as never }] })
      await page.getByRole('dialog').getByText(/Not verified: this|Nicht geprüft: Das/).waitFor()
    },
  },
  {
    name: 'line-call',
    show: async (s, page) => {
      const call = s.call('+49 30 5550123', 'bridged')
      s.line({}, call)
      call.member()
      await page.locator('.line-call').getByText(/Connected with|Verbunden mit/).waitFor()
      await press(page, /^(Pass on…|Weitergeben …)$/)
    },
  },
  {
    name: 'line-held',
    show: async (s, page) => {
      const call = s.call('102', 'open')
      s.line({}, call, { held: true })
      call.member()
      await page.getByText(/You hold the call|Sie halten das Gespräch/).waitFor()
    },
  },
  {
    name: 'calling',
    show: async (s, page) => {
      s.memory.people = [met(1)]
      s.page.hub.people.begin(person(1).keyId, 'call-1')
      const call = s.call('call-1')
      call.member()
      call.group(inGroup(0))
      s.calling(1, 'call-1')
      await page.getByText(/It rings at|Es klingelt bei/).waitFor()
    },
  },
  {
    name: 'ask-in',
    show: async (s, page) => {
      s.memory.people = [1, 2, 6, 7].map((i) => met(i, i === 6 ? { compared: true, comparedAt: 1_790_000_000 } : {}))
      s.page.hub.configure({})
      meeting(s)
      await press(page, /^(Ask someone in|Jemanden dazuholen)$/)
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'details-compare',
    show: async (s, page) => {
      s.memory.people = [met(1)]
      s.page.hub.configure({})
      meeting(s)
      await press(page, /Details of Bruno|Einzelheiten zu Bruno/)
      await press(page, /^(Compare keys|Schlüssel vergleichen)$/)
      await page.getByText('10394').waitFor()
    },
  },
  {
    name: 'details-block',
    show: async (s, page) => {
      s.memory.people = [met(1, { compared: true, comparedAt: 1_790_000_000 })]
      s.page.hub.configure({})
      const call = meeting(s)
      call.event({ kind: 'acquainted', at: call.startedAt as never, leaf: 1, acquaintance: { kind: 'known', compared: true, comparedAt: 1_790_000_000 } })
      await press(page, /Details of Bruno|Einzelheiten zu Bruno/)
      await press(page, /^(Block…|Sperren …)$/)
    },
  },
  ...SEALED_CALLS.map(([state, words, shown]): View => ({
    name: `sealed-call-${state}`,
    show: async (s, page) => {
      const call = s.call('+49 30 5550123')
      call.event({ kind: 'sealed-call', at: call.startedAt as never, number: '+49 30 5550123', state, words, ...(state === 'sealed' || state === 'doubt' ? { peer: person(1) } : {}), ...(state === 'sealed' ? { keyId: person(1).keyId, memory: 'new' } : {}) })
      await heading(page, shown)
    },
  })),
  { name: 'rooms', show: async (_, page) => void (await heading(page, /Call a room|Einen Raum/)) },
  {
    name: 'rooms-with-history',
    show: async (s, page) => {
      for (const name of ['weekly', '100']) {
        const call = meeting(Object.assign(Object.create(s) as Staged, { call: () => s.call(name) }))
        call.over()
      }
      await page.getByText('100').first().waitFor()
      await press(page, /^(Keypad|Tasten)$/)
    },
  },
  {
    name: 'call',
    show: async (s, page) => {
      const call = meeting(s)
      await heading(page, /five people|fünf Personen/)
      call.levels(1, [1, 2, 3, 4])
    },
  },
  {
    name: 'call-large',
    show: async (s, page) => {
      const call = s.call()
      call.member()
      call.group(...Array.from({ length: 60 }, (_, i) => inGroup(i)))
      await heading(page, /these 60 people|diese 60 Personen/)
      call.levels(1, [1, 2, 3, 4])
    },
  },
  {
    name: 'call-talking',
    show: async (s, page) => {
      await page.getByRole('textbox').first().fill('100')
      await page.keyboard.press('Enter')
      await page.waitForFunction("document.querySelector('[role=alert]') === null")
      const call = s.call('100')
      call.member()
      call.group(...FIVE)
      await press(page, /^(Push to talk|Sprechtaste)/)
      await press(page, /^(Keypad|Tasten)$/)
      await page.locator('.keypad').waitFor()
    },
  },
  {
    name: 'call-unheard',
    show: async (s, page) => {
      const call = meeting(s)
      call.unheard(2, 'CLIENT_NOT_ARRIVING')
      call.toggleMute()
      await page.getByText(/cannot hear this person|können Sie nicht hören/).waitFor()
    },
  },
  {
    name: 'call-twins',
    show: async (s, page) => {
      const call = s.call()
      call.member()
      call.group(inGroup(0), inGroup(1, { subject: 'Ann Li', organisation: 'Example AG' }), inGroup(2, { subject: 'Ann Li', organisation: 'Example AG' }), { ...inGroup(3, { subject: 'Front desk' }), kind: 'gateway' })
      await page.getByText(/2 of 2|2 von 2/).waitFor()
    },
  },
  {
    name: 'call-hosted',
    show: async (s, page) => {
      const call = meeting(s)
      call.policy({ owners: [inGroup(0).identity.keyId], hosts: [inGroup(3).identity.keyId] }, { locked: true })
      call.event({ kind: 'knock', at: call.startedAt as never, request: 9, identity: person(9), member: 'member' })
      call.event({ kind: 'acquainted', at: call.startedAt as never, leaf: 2, acquaintance: { kind: 'first-contact', compared: false } })
      await page.getByRole('button', { name: /Let in:|Hereinlassen:/ }).waitFor()
    },
  },
  {
    name: 'call-flag',
    show: async (s, page) => {
      const call = meeting(s)
      call.event({ kind: 'acquainted', at: call.startedAt as never, leaf: 1, acquaintance: { kind: 'changed', compared: false } })
      call.event({ kind: 'flag', at: call.startedAt as never, leaf: 4, text: 'Somebody else is in my room' })
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'raise-flag',
    show: async (s, page) => {
      meeting(s)
      await press(page, /^(Red flag|Rote Flagge)$/)
    },
  },
  {
    name: 'call-waiting',
    show: async (s, page) => {
      s.call().event({ kind: 'waiting', at: 0 as never })
      await heading(page, /Waiting to be let in|warten auf Einlass/)
    },
  },
  {
    name: 'call-joining',
    show: async (s, page) => {
      s.call()
      await heading(page, /Joining|Beitritt/)
    },
  },
  {
    name: 'call-healing',
    show: async (s, page) => {
      meeting(s).event({ kind: 'phase', at: 0 as never, phase: 'healing', reason: 'the connection to the server is gone' })
      await heading(page, /Reconnecting|erneuert/)
    },
  },
  {
    name: 'call-bridged',
    show: async (s, page) => {
      const call = s.call('4711', 'bridged')
      call.member()
      call.event({ kind: 'conference', at: 0 as never, state: { current: true, locked: false, recorded: false, weAreHost: false, more: 0 }, members: [{ leaf: 0, identity: inGroup(0).identity, self: true, presence: {} }, { leaf: 1, identity: inGroup(1).identity, self: false, presence: { talking: true } }], callers: [{ leaf: 2, number: '+49 30 5550123', name: '', self: false, presence: { muted: true } }] })
      await heading(page, /Our server|Unser Server/)
    },
  },
  {
    name: 'call-open',
    show: async (s, page) => {
      s.call('0305550123', 'open').member()
      await heading(page, /Anyone|Jeder/)
    },
  },
  {
    name: 'call-alone',
    show: async (s, page) => {
      const call = s.call()
      call.member()
      call.group(inGroup(0))
      await heading(page, /Only you|Nur Sie/)
    },
  },
  {
    name: 'compare',
    show: async (s, page) => {
      meeting(s)
      await press(page, /^(Compare|Vergleichen)$/)
    },
  },
  {
    name: 'compare-differs',
    show: async (s, page) => {
      meeting(s)
      await press(page, /^(Compare|Vergleichen)$/)
      await press(page, /Something differs|weicht ab/)
    },
  },
  {
    name: 'details',
    show: async (s, page) => {
      meeting(s)
      await press(page, /Details of Bruno|Einzelheiten zu Bruno/)
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'details-remove',
    show: async (s, page) => {
      meeting(s).policy({ owners: [inGroup(0).identity.keyId], hosts: [] }, {})
      await press(page, /Details of Bruno|Einzelheiten zu Bruno/)
      await press(page, /^(Remove…|Entfernen …)$/)
    },
  },
  {
    name: 'numbers',
    show: async (s, page) => {
      meeting(s)
      await press(page, /Show numbers|Zahlen zeigen/)
    },
  },
  {
    name: 'phone',
    show: async (s, page) => {
      await press(page, /Phone and sound|Telefon und Ton/)
      await press(page, /Test the microphone|Mikrofon testen/)
      s.page.hub.observer.onPhone?.({ kind: 'registered', line: 'desk', contact: 'sip:desk@127.0.0.1:5099' })
      await page.getByText(/is registered|ist angemeldet/).waitFor()
    },
  },
  {
    name: 'echo-speak',
    show: async (s, page) => void (await echo(s, page)),
  },
  {
    name: 'echo-heard',
    show: async (s, page) => {
      const call = await echo(s, page)
      const tone = (n: number, loud: (i: number) => number): Int16Array => Int16Array.from({ length: 64_000 }, (_, i) => loud(i) * Math.sin(i / n))
      const noise = Int16Array.from({ length: 64_000 }, (_, i) => ((i * 2_654_435_761) % 65_536) - 32_768)
      s.page.hub.observer.onMedia?.({ op: 'conference.tapped', conference: call.conference, members: tone(9, (i) => 9000 * Math.abs(Math.sin(i / 5000))), server: noise, octets: Uint8Array.from({ length: 160 }, (_, i) => (i * 137) % 256) })
      await heading(page, /What the members hear|Was die Mitglieder hören/)
    },
  },
  {
    name: 'no-microphone',
    show: async (_, page) => {
      await page.evaluate("navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))")
      await page.getByRole('textbox').first().fill('100')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'settings',
    show: async (_, page) => {
      await press(page, /Settings|Einstellungen/)
      await page.getByRole('dialog').waitFor()
    },
  },
  ...(['server', 'certificate'] as const).map((step): View => ({
    name: `setup-${step}`,
    show: async (s, page) => {
      s.page.hub.setup = { step, server: 'talk.example.org', ...(step === 'certificate' ? { fault: { code: 'IDENTITY_PASSPHRASE_NEEDED', message: 'The private key is encrypted. Give its passphrase.' } } : {}) }
      await heading(page, /Where is|Who are you|Wo ist|Wer sind/)
    },
  })),
  {
    name: 'setup-invited',
    show: async (s, page) => {
      s.page.hub.setup = { step: 'invited', code: '48213 90577 11264' }
      await heading(page, /Read this code|diesen Code/)
    },
  },
  {
    name: 'setup-phone',
    show: async (s, page) => {
      s.page.hub.setup = { step: 'starting', server: 'talk.example.org' }
      await heading(page, /Who are you|Wer sind/)
      s.page.hub.setup = undefined
      await heading(page, /What will you|Womit/)
    },
  },
  ...([['CHANNEL_UNREACHABLE', 'The server cannot be reached: talk.example.org:7443 (ECONNREFUSED).'], ['IDENTITY_REVOKED', 'The certificate has been revoked.']] as const).map(([code, message]): View => ({
    name: `trouble-${code.toLowerCase().replaceAll('_', '-')}`,
    show: async (s, page) => {
      s.page.hub.observer.onServer?.(false, { fault: { code, message } })
      await page.locator('.trouble').waitFor()
    },
  })),
  ...([['server-silent', (s) => s.page.hub.observer.onServerSilent?.(true)], ['udp-blocked', (s) => s.page.hub.observer.onMedia?.({ op: 'hop.path', hop: 1, path: 'tls', roundTripMs: 31 })], ['clock', (s) => s.page.hub.observer.onServer?.(true, { welcome: { unixTime: Math.floor(Date.now() / 1000) + 7200 } as never })]] as readonly (readonly [string, (s: Staged) => void])[]).map(([cause, happen]): View => ({
    name: `trouble-${cause}`,
    show: async (s, page) => {
      happen(s)
      await page.locator(`.trouble[data-cause="${cause}"]`).waitFor()
    },
  })),
  {
    name: 'trouble-client-gone',
    show: async (s, page) => {
      meeting(s)
      await heading(page, /five people|fünf Personen/)
      await s.page.close()
      await page.locator('.trouble').waitFor()
    },
  },
]
