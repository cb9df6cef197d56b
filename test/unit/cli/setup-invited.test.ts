import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { err, must, ok } from '../../../src/base/result.ts'
import { openDraft } from '../../../src/cli/join-draft.ts'
import { currentTime } from '../../../src/cli/options.ts'
import { Invited } from '../../../src/cli/setup-invited.ts'
import type { PageSetup } from '../../../src/model/page.ts'
import { connectTo } from '../../../src/net/http-connect.ts'
import { type Ask, asker } from '../../../src/pki/enrolment/ask.ts'
import { openDoor } from '../../../src/pki/enrolment/door.ts'
import type { Issued } from '../../../src/pki/enrolment/join.ts'
import { AuthorityDesk } from '../../kit/authority-desk.ts'
import { crypto } from '../../kit/certificates.ts'
import { until } from '../../kit/processes.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-invited-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** An authority with a real door, and a page that waits at it. */
async function scene(t: TestContext) {
  const authority = new AuthorityDesk()
  authority.now = currentTime()
  const door = must(await openDoor({ ...authority.options, now: currentTime, hosts: ['localhost'], bind: { address: '127.0.0.1', port: 0 } }))
  t.after(async () => {
    await door.close()
    authority.close()
  })
  const invite = (name: string) => ({ ...authority.invite(name), host: 'localhost', port: door.port })
  const own = mkdtempSync(path.join(folder, 'page-'))
  const shown: PageSetup[] = []
  const got: Issued[] = []
  let cut: 'IDENTITY_ENROLMENT_UNREACHABLE' | 'IDENTITY_ENROLMENT_FORGED' | undefined
  let taken = false
  const real = asker(crypto, connectTo)
  const ask: Ask = async (q) => (cut === undefined ? await real(q) : err(cut))
  /** As after a start: nothing is known but what lies in the folder. */
  const page = () => {
    const invited = new Invited({
      crypto, ask, now: currentTime, folder: own, againMs: 20, show: (s) => shown.push(s), place: () => (taken ? err('SETUP_KEY_EXISTS') : ok(undefined)), issued: async (issued, draft) => {
        got.push(issued)
        draft.remove()
        return ok(undefined)
      },
    })
    t.after(() => invited.stop())
    return invited
  }
  return {
    authority, invite, page, own, shown, got,
    cut: (fault: typeof cut) => void (cut = fault),
    taken: (is: boolean) => void (taken = is),
    shows: (what: string, test: (s: PageSetup) => boolean) => until(60_000, what, () => (shown.at(-1) !== undefined && test(shown.at(-1)!) ? shown.at(-1)! : undefined), () => JSON.stringify(shown.at(-1)), 10),
    decide: (name: string, yes: boolean) => must(authority.invitations.decide(authority.invitations.all().find((s) => s.invitation.name === name)!.invitation.id, { let: yes, at: currentTime() })),
    issued: () => until(60_000, 'the certificate', () => got[0], () => JSON.stringify(shown.at(-1)), 10),
  }
}
const drafts = (own: string) => readdirSync(own).filter((f) => f.startsWith('.stc-join-'))

test('whoever stops while waiting goes on with the same link and the same key', async (t) => {
  const s = await scene(t)
  const invitation = s.invite('Anna')
  const first = s.page()
  must(await first.begin(invitation))
  const { code } = await s.shows('the code', (x) => x.step === 'invited')
  assert.match(code!, /^\d{5} \d{5}$/)
  if (process.platform !== 'win32') assert.equal(statSync(path.join(s.own, drafts(s.own)[0]!)).mode & 0o777, 0o600)
  // Ctrl-C, a crash, a power cut: another process, another day.
  first.stop()
  s.shown.length = 0
  must(await s.page().begin(invitation))
  assert.equal((await s.shows('the code again', (x) => x.step === 'invited')).code, code)
  s.decide('Anna', true)
  const issued = await s.issued()
  assert.equal(issued.name, 'Anna')
  assert.deepEqual(drafts(s.own), [])
})

test('an authority that cannot be reached is told on the page, and asked on', async (t) => {
  const s = await scene(t)
  must(await s.page().begin(s.invite('Bob')))
  const { code } = await s.shows('the code', (x) => x.step === 'invited' && x.fault === undefined)
  s.cut('IDENTITY_ENROLMENT_UNREACHABLE')
  assert.equal((await s.shows('the fault', (x) => x.fault?.code === 'IDENTITY_ENROLMENT_UNREACHABLE')).code, code)
  s.cut(undefined)
  assert.equal((await s.shows('the code alone', (x) => x.fault === undefined)).code, code)
  s.decide('Bob', true)
  await s.issued()
})

test('a refusal is shown and final; whoever stands in the way burns no invitation', async (t) => {
  const s = await scene(t)
  const [kept, refused] = [s.invite('Cora'), s.invite('Dora')]
  const page = s.page()
  must(await page.begin(kept))
  const { code } = await s.shows('the code', (x) => x.step === 'invited')
  s.cut('IDENTITY_ENROLMENT_FORGED')
  await s.shows('what stands in the way', (x) => x.step === 'server' && x.fault?.code === 'IDENTITY_ENROLMENT_FORGED')
  assert.equal(drafts(s.own).length, 1)
  s.cut(undefined)

  must(await page.begin(refused))
  const other = await s.shows('another code', (x) => x.step === 'invited')
  assert.notEqual(other.code, code)
  s.decide('Dora', false)
  await s.shows('the refusal', (x) => x.step === 'server' && x.fault?.code === 'IDENTITY_INVITATION_REFUSED')
  assert.equal(drafts(s.own).length, 1, 'the draft of what is refused is of no use')

  must(await page.begin(kept))
  assert.equal((await s.shows('the first code', (x) => x.step === 'invited')).code, code)
})

test('another link takes the place of the one that is waited for', async (t) => {
  const s = await scene(t)
  const page = s.page()
  must(await page.begin(s.invite('Erik')))
  const { code } = await s.shows('the code', (x) => x.step === 'invited')
  must(await page.begin(s.invite('Fred')))
  await s.shows('the other code', (x) => x.step === 'invited' && x.code !== code)
  s.decide('Erik', true)
  s.decide('Fred', true)
  assert.equal((await s.issued()).name, 'Fred')
})

test('an invitation is not spent where another key lies in the place of its own', async (t) => {
  const s = await scene(t)
  const invitation = s.invite('Gina')
  const page = s.page()
  s.taken(true)
  const refused = await page.begin(invitation)
  assert.ok(!refused.ok && refused.fault.code === 'SETUP_KEY_EXISTS')
  assert.equal(s.authority.invitations.all()[0]!.use, undefined)
  s.taken(false)
  must(await page.begin(invitation))
  await s.shows('the code', (x) => x.step === 'invited')
  s.decide('Gina', true)
  assert.equal((await s.issued()).name, 'Gina')
})

test('a draft that was cut off is written anew; one that cannot be written is told', () => {
  const invitation = { host: 'localhost', port: 1, secret: new Uint8Array(16), fingerprint: new Uint8Array(32) }
  const own = path.join(folder, 'draft', 'deep')
  must(openDraft(crypto, invitation, own))
  const file = path.join(own, drafts(own)[0]!)
  writeFileSync(file, '')
  const again = must(openDraft(crypto, invitation, own))
  assert.match(readFileSync(file, 'latin1'), /BEGIN PRIVATE KEY/)
  assert.equal(must(openDraft(crypto, invitation, own)).joining.code, again.joining.code)
  again.remove()
  again.remove()
  assert.ok(!existsSync(file))
  // What cannot be taken away is no reason to fall over.
  mkdirSync(file)
  again.remove()
  assert.ok(existsSync(file))
  writeFileSync(path.join(folder, 'flat'), '')
  const refused = openDraft(crypto, invitation, path.join(folder, 'flat', 'x'))
  assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_FILE_UNWRITABLE')
})
