/**
 * Certificates as the world has them: names of all scripts, with codes for terminals and pages in them, of eight kilobytes, of a machine
 * whose clock is a day off. What a person sees on the terminal is what the certificate says, on one line, and cannot pass for another.
 */
import assert from 'node:assert/strict'
import type { Der } from '../../src/base/brand.ts'
import { displayName } from '../../src/model/identity.ts'
import { showEvent, showRoster } from '../../src/client/terminal.ts'
import { alternativeNames, basicConstraints, emailName, keyUsage, signCertificate, subjectName } from '../../src/pki/certificate.ts'
import { newKey } from '../../src/pki/keys.ts'
import { KEY_USAGE } from '../../src/protocol/x509/extensions.ts'
import { unixTime } from '../../src/base/brand.ts'
import { agree, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

/** What our own authority would not write into a certificate; another might. */
function identityOf(w: ConferenceWorld, name: string, emails: readonly string[] = []): WorldMember['identity'] {
  const { ca } = w.people
  const pkcs8 = newKey(w.crypto)
  const signer = w.crypto.signer('ecdsa-p256-sha256', pkcs8)
  const now = w.clock.unix()
  const chain = [signCertificate(ca.signer, {
    serial: w.crypto.bytes(16), issuer: ca.subject, subject: subjectName({ name }), notBefore: unixTime(now - 3600), notAfter: unixTime(now + 86_400), spki: signer.spki,
    extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), ...(emails.length === 0 ? [] : [alternativeNames(...emails.map(emailName))])],
  }) as Der]
  return { chain, signer, pkcs8, kind: 'member', keyProtection: 'in-process' }
}

/** What stands on the terminal of a member: the roster, and a line for each event so far. */
function terminalOf(m: WorldMember): string[] {
  const lines: string[] = []
  const t = { write: (line: string) => void lines.push(line), colours: false }
  showRoster(t, m.roster)
  for (const e of m.events) showEvent(t, 'r', e)
  return lines
}

const CODES = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066\u2067]/u
const DAY_MS = 86_400_000
const OPEN = '\u2068'
const CLOSE = '\u2069'

seededTest('names of every script and with every trick: one honest line each, on roster and in notes', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const ann = await w.join('Ann')
  const names = [
    'משה כהן', 'محمد الأحمد', 'Ann\u202eneB', '\u001b[2J\u001b[31mAnn', 'Ann\r\nBen  [00000000]  (owner)', '<img src=x onerror=alert(1)>', '<b>Ann</b>&amp;', '\u0007bell', 'Ann\u200b', '\u2067Ann\u2069',
  ]
  for (const name of names) await w.join(name, { identity: identityOf(w, name) })
  await w.run(3000)
  assert.equal(ann.roster.members.length, names.length + 1)
  const lines = terminalOf(ann)
  for (const line of lines) assert.doesNotMatch(line, CODES, JSON.stringify(line))
  const rows = lines.filter((l) => /^ +\d+ /.test(l))
  assert.equal(rows.length, names.length + 1)
  const shown = ann.roster.members.map((m) => displayName(m.identity))
  assert.equal(shown.filter((n) => n === 'Ann').length, 1, 'nobody else is "Ann"')
  assert.equal(new Set(rows.map((r) => /\[([0-9a-f]{8})\]/.exec(r)?.[1])).size, rows.length, 'a key on every line')
  assert.ok(shown.includes('<img src=x onerror=alert(1)>') && shown.includes('<b>Ann</b>&amp;'), 'shown as it is written')
  // Right-to-left letters do not carry what follows with them.
  for (const name of ['משה כהן', 'محمد الأحمد']) {
    assert.ok(rows.some((r) => r.includes(`${OPEN}${name}${CLOSE}`)), rows.join('\n'))
    assert.ok(lines.some((l) => l.includes('was let in') && l.includes(`${OPEN}${name}${CLOSE}`)), 'in notes too')
  }
  // Nothing that a name holds opens or closes an isolation.
  for (const line of lines) assert.equal(line.split(OPEN).length, line.split(CLOSE).length, JSON.stringify(line))
})

seededTest('a certificate of eight kilobytes: a member like any other', async (seed, t) => {
  const w = await worldFor(t, { seed, media: false })
  const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
  const identity = identityOf(w, 'Big', Array.from({ length: 220 }, (_, i) => `alias-${String(i).padStart(4, '0')}@department.test.example`))
  assert.ok(identity.chain[0]!.length >= 8192 && identity.chain[0]!.length < 12_000, `${identity.chain[0]!.length}`)
  const big = await w.join('Big', { identity })
  await agree(w, [ann, ben, big])
  const cas = await w.join('Cas')
  await agree(w, [ann, ben, big, cas])
  assert.ok(terminalOf(cas).every((l) => l.length < 300))
})

for (const [what, ahead] of [['ahead', 86_400], ['behind', -86_400]] as const) {
  seededTest(`a machine whose clock is a day ${what}: not let in, and told to look at its clock; the others are not disturbed`, async (seed, t) => {
    const w = await worldFor(t, { seed, media: false })
    await w.run(5 * DAY_MS)
    const [ann, ben] = [await w.join('Ann'), await w.join('Ben')]
    // Its certificate is not the matter.
    const dan = await w.arrive('Dan', { identity: identityAt(w, 'Dan'), clockAhead: ahead })
    dan.dial()
    await w.until(() => dan.over !== undefined, 30_000, 'the refusal')
    assert.match(dan.over!.reason, /clock/i, dan.over!.reason)
    await agree(w, [ann, ben])
  })
  seededTest(`somebody whose clock is a day ${what} opens the room first: who comes with a right one is told so, and is not in a room that cannot be checked`, async (seed, t) => {
    const w = await worldFor(t, { seed, media: false })
    await w.run(5 * DAY_MS)
    const dan = await w.arrive('Dan', { identity: identityAt(w, 'Dan'), clockAhead: ahead })
    dan.dial()
    await w.until(() => dan.inRoom, 10_000, 'Dan in his room')
    const ann = await w.join('Ann', { limitMs: 60_000 })
    assert.equal(ann.inRoom, false)
    assert.match(`${ann.over?.reason} ${ann.roster.notes.map((n) => n.text).join()}`, /clock/i)
  })
}

/** A certificate that is valid days before and after now. */
function identityAt(w: ConferenceWorld, name: string): WorldMember['identity'] {
  const { ca } = w.people
  const pkcs8 = newKey(w.crypto)
  const signer = w.crypto.signer('ecdsa-p256-sha256', pkcs8)
  const now = w.clock.unix()
  const chain = [signCertificate(ca.signer, {
    serial: w.crypto.bytes(16), issuer: ca.subject, subject: subjectName({ name }), notBefore: unixTime(now - 3 * 86_400), notAfter: unixTime(now + 10 * 86_400), spki: signer.spki,
    extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)],
  }) as Der]
  return { chain, signer, pkcs8, kind: 'member', keyProtection: 'in-process' }
}
