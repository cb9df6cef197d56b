/** What the doctor finds in what Asterisk prints. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asteriskBlocks } from '../../../../src/server/pbx/asterisk-config.ts'
import { examine, type Finding, ofDialplan, ofEndpointSettings, ofFail2ban, ofIdentifiers, ofManager, ofWay } from '../../../../src/server/pbx/examine.ts'

const wrongs = (f: readonly Finding[]): string[] => f.filter((x) => x.level === 'wrong' || x.level === 'risky').map((x) => `${x.level}: ${x.text}`)

/** As `dialplan show` prints a context. */
const printed = (context: string, lines: readonly string[], more = ''): string => `[ Context '${context}' created by 'pbx_config' ]\n  's' =>            ${lines.map((l, i) => `${i + 1}. ${l}  [extensions.conf:1]`).join('\n                    ')}\n${more}\n`
const ours = (() => {
  const text = asteriskBlocks({ ami: { user: 'stc', secret: 'x', permit: [] }, agi: { address: '127.0.0.1', port: 4573 }, conferences: ['_8XX'], phones: [] }).extensions
  return [...text.slice(text.indexOf('[stc-enter]')).matchAll(/(?:exten => s,1|same => n(?:\(\w+\))?),(.*)/g)].map((m) => m[1]!)
})()
const included = `[ Context 'phones' created by 'pbx_config' ]\n  Include =>        'stc-conferences'          [pbx_config]\n`
const secret = '   STC_SECRET=0123\n'

test('our own dialplan is closed; without the check, or with the check after the conference, it is open', () => {
  assert.deepEqual(wrongs(ofDialplan(printed('stc-enter', ours) + included, secret)), [])
  const open = ours.filter((l) => !l.includes('SHA1'))
  assert.match(wrongs(ofDialplan(printed('stc-enter', open) + included, secret)).join(), /open when stc does not answer/)
  const late = [...open, ours.find((l) => l.includes('SHA1'))!]
  assert.match(wrongs(ofDialplan(printed('stc-enter', late) + included, secret)).join(), /open when stc does not answer/)
  assert.match(wrongs(ofDialplan(included, secret)).join(), /no way into conferences/)
  assert.match(wrongs(ofDialplan(printed('stc-enter', ours), '')).join(), /nobody can dial.*closed until one does/)
})

test('another way into a conference is named', () => {
  const side = `[ Context 'from-internal' created by 'pbx_config' ]\n  '700' =>          1. Answer()    [x:1]\n                    2. ConfBridge(700)   [x:2]\n  '701' =>          1. Dial(PJSIP/x)   [x:3]\n`
  assert.deepEqual(wrongs(ofDialplan(printed('stc-enter', ours) + included + side, secret)).map((w) => w.split(' leads')[0]), ['risky: "700" in context from-internal'])
})

test('phones are taken for a trunk only where address comes before name and the trunk has our address', () => {
  const first = 'Identifier Names:\nip\nusername\n'
  const match = ' Identify:  trunk/anna\n      Match: 127.0.0.1/32\n'
  assert.match(wrongs(ofIdentifiers(first, match, ['127.0.0.1'])).join(), /^wrong: every phone/)
  assert.match(wrongs(ofIdentifiers(first, match, ['10.0.0.1'])).join(), /^risky/)
  assert.deepEqual(wrongs(ofIdentifiers('username\nip\n', match, ['127.0.0.1'])), [])
})

test('the manager interface: on, not open to strangers, an account that may what it must', () => {
  const on = '  Manager (AMI):             Yes\n  TCP Bindaddress:           127.0.0.1:5038\n'
  const user = '   ACL: yes\n  read perm: system,call\n  write perm: system,call,reporting\n'
  assert.deepEqual(wrongs(ofManager(on, user, 'stc')), [])
  assert.deepEqual(wrongs(ofManager(on, user.replaceAll(/perm: .*/g, 'perm: all'), 'stc')), [])
  assert.match(wrongs(ofManager('  Manager (AMI):   No\n', user, 'stc')).join(), /is off/)
  assert.match(wrongs(ofManager(on.replace('127.0.0.1', '0.0.0.0'), user, 'stc')).join(), /^risky.*0\.0\.0\.0/)
  assert.match(wrongs(ofManager(on, user.replace('system,call\n', 'system\n'), 'stc')).join(), /may not read call/)
  assert.match(wrongs(ofManager(on, user.replace(',reporting', ''), 'stc')).join(), /may not write reporting/)
  assert.match(wrongs(ofManager(on, 'There is no such manager user.', 'stc')).join(), /no manager account/)
  assert.match(wrongs(ofManager(on, user.replace('ACL: yes', 'ACL: no'), 'stc')).join(), /from everywhere/)
})

test('settings of endpoints, with the names of those that have them', () => {
  const of = (v: Readonly<Record<string, string>>): string => Object.entries({ direct_media: 'false', rtp_timeout: '0', message_context: '', media_encryption: 'no', ...v }).map(([k, x]) => ` ${k}      : ${x}`).join('\n')
  assert.deepEqual(wrongs(ofEndpointSettings(new Map([['a', of({})]]))), [])
  const found = wrongs(ofEndpointSettings(new Map([['a', of({ direct_media: 'true' })], ['b', of({ rtp_timeout: '30', message_context: 'sms' })], ['c', of({ media_encryption: 'sdes', rtp_timeout: '5' })]])))
  assert.deepEqual(found.map((f) => f.split(':')[1]), [' direct_media = yes at a', ' rtp_timeout at b, c', ' message_context at b', ' media_encryption at c'])
})

test('Asterisk on another machine: no word of one machine; over a kept connection contacts that Asterisk wrote itself are named', async () => {
  const encrypted = new Map([['a', ' media_encryption : sdes\n rewrite_contact : true']])
  const of = (sip: Parameters<typeof ofWay>[0]): string => wrongs([...ofWay(sip), ...ofEndpointSettings(encrypted, sip)]).join('\n')
  assert.match(of({ transport: 'udp' }), /^risky: media_encryption at a: .* on one machine$/)
  const far = of({ transport: 'udp', far: '10.0.0.9' })
  assert.match(far, /^risky: Asterisk is on another machine \(10\.0\.0\.9\)[\s\S]*\nrisky: sip\.transport is udp[\s\S]*\nwrong: media_encryption at a/)
  assert.doesNotMatch(far, /one machine|rewrite_contact/)
  assert.match(of({ transport: 'tls', far: 'pbx' }), /^(?![\s\S]*sip\.transport)[\s\S]*\nrisky: rewrite_contact at a/)
  const found = await examine({ rx: async () => undefined, amiUser: 'stc', server: [], fail2ban: [], sip: { transport: 'tls', far: 'pbx' } })
  assert.deepEqual(found.map((f) => f.level), ['risky', 'unknown'], 'also where Asterisk cannot be asked')
})

test('fail2ban must know the server', () => {
  const jail = '[DEFAULT]\nignoreip = 127.0.0.1/8 ::1\n\n[asterisk]\nenabled = true\n'
  assert.deepEqual(wrongs(ofFail2ban([jail], ['127.0.0.1'])), [])
  assert.match(wrongs(ofFail2ban([jail], ['10.0.0.5'])).join(), /bans 10\.0\.0\.5/)
  assert.deepEqual(ofFail2ban(['[asterisk]\nenabled = false\n'], ['10.0.0.5']), [])
  assert.deepEqual(ofFail2ban([], ['10.0.0.5']), [])
})

test('where Asterisk cannot be asked that is all that is said', async () => {
  const found = await examine({ rx: async () => undefined, amiUser: 'stc', server: [], fail2ban: [] })
  assert.deepEqual(found.map((f) => f.level), ['unknown'])
})
