/** Names out of strangers' certificates on the real page in Chromium: text and nothing else, each isolated, none that runs, hides or overlaps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeText } from '../../src/model/identity.ts'
import { startBrowser } from '../kit/browser.ts'
import { inGroup, stagePage } from '../kit/staged-page.ts'
import { needs } from './setup.ts'

const RAW = ['Ann Example', '<img src=x onerror="window.struck=1">', '<script>window.struck=1</script>', 'משה כהן', 'محمد الأحمد', 'Ann\u202eelpmaxE', '\u001b[31mRed', '{{7*7}}', 'a\u0000b', '"><svg onload=window.struck=1>']

test('names with HTML, right-to-left letters and control characters are text', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const b = await startBrowser(t, {})
  const staged = await stagePage(t)
  await b.page.goto(staged.url)
  staged.up()
  await b.page.locator('main h1').first().waitFor()
  const call = staged.call()
  // As identity-of.ts hands them on: text of certificates has passed `safeText`.
  const people = RAW.map((name, i) => inGroup(i, { subject: safeText(name), organisation: safeText(RAW[RAW.length - 1 - i]!) }))
  call.group(people[0]!)
  call.member()
  call.group(...people)
  for (const p of people) call.note('CLIENT_MEMBER_JOINED', `${p.identity.subject} was let in`)
  call.event({ kind: 'knock', at: call.startedAt as never, request: 1, identity: { ...people[1]!.identity, keyId: 'ab'.repeat(32) }, member: 'member' })
  await b.page.locator('.name bdi').nth(RAW.length - 1).waitFor()
  const names = await b.page.locator('.name bdi').allTextContents()
  assert.deepEqual([...names].sort(), RAW.map((n) => safeText(n)).sort())
  assert.equal(await b.page.evaluate('window.struck'), undefined)
  assert.equal(await b.page.locator('.name img, .name script, .name svg:not([aria-hidden]), .about img, bdi *').count(), 0, 'an element out of a name')
  for (const text of names) assert.doesNotMatch(text, /[\u0000-\u001f\u202a-\u202e\u2066-\u2069]/u)
  // A right-to-left name does not move what stands behind it on its line to its other side.
  const order = await b.page.evaluate(`[...document.querySelectorAll('.name')].filter((p) => p.querySelector('.tag')).every((p) => p.querySelector('bdi').getBoundingClientRect().left <= p.querySelector('.tag').getBoundingClientRect().left)`)
  assert.equal(order, true)
})
