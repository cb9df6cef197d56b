import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { knowConfig, redactConfig, Redactor } from '../../../src/cli/redact.ts'

const config = {
  server: { host: 'talk.example.org', port: 7443, proxy: 'http://me:Geh3imnis@proxy.example.org:3128' }, identity: { certificate: 'anna.pem', key: 'anna.key', passphrase: 'offen wie ein Buch', anchors: ['ca.pem'] },
  phones: [{ line: 'desk', address: '127.0.0.1', port: 5060, users: { anna: 'Zwiebelkuchen' } }], rooms: { vorstand: { suite: 'x-wing' } }, vault: 'process',
  realm: 'stc', sealedCalls: { policy: 'prefer', carriers: ['server', 'message'], legacy: { '4930123456': 'NurZwischenUnsBeiden' } },
}

test('a configuration keeps its shape and loses what is not ours', () => {
  const r = new Redactor()
  const text = JSON.stringify(redactConfig(r, config))
  for (const secret of ['Geh3imnis', 'Buch', 'Zwiebelkuchen', 'talk.example', 'anna', 'vorstand', '4930123456', 'NurZwischen']) assert.ok(!text.includes(secret), secret)
  for (const kept of ['7443', '5060', 'x-wing', 'process', '127.0.0.1', '<server-1>', '"realm":"stc"', '"carriers":["server","message"]']) assert.ok(text.includes(kept), kept)
})

test('what is known from the configuration is found wherever it stands', () => {
  const r = new Redactor()
  knowConfig(r, config)
  assert.equal(r.text('stc: the server took NurZwischenUnsBeiden of 4930123456'), 'stc: the server took <secret> of <number-1>')
  r.know('person', 'Anna Example')
  const text = r.text('Anna Example (anna) said Zwiebelkuchen at talk.example.org; ANNA EXAMPLE again')
  assert.equal(text, '<person-1> (<user-1>) said <secret> at <server-1>; <person-1> again')
})

const looks: readonly (readonly [string, string])[] = [
  ['page: http://127.0.0.1:7480/#key=69c18c7f68fc305d2f79', '69c18c7f'], ['stc join \'https://ca.example.org:7444/join#v1.abcdefgh\'', 'abcdefgh'], ['a=crypto:1 AES inline:WVNfX19zZW1jdGwg', 'WVNf'],
  ['-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByq\n-----END PRIVATE KEY-----', 'MIGH'], ['passphrase: offen', 'offen'], ['mail to bob@example.org now', 'bob@'], ['From: Bob Builder <sip:bob@10.0.0.1>', 'Bob'],
  ['"Bob Builder" <sip:bob@10.0.0.1>', 'Builder'], ['key 93dc546ff32aefeba24918ad0982628e', '93dc546f'], ['from 203.0.113.7 port 5060', '203.0.113.7'], ['phone desk dials 8100', '8100'], ['at 2001:db8:1:2:3:4:5:6', '2001:db8'],
]
for (const [line, secret] of looks) test(`known by its look: ${line.slice(0, 40)}`, () => assert.ok(!new Redactor().text(line).includes(secret), new Redactor().text(line)))

test('a display name goes as a whole, also where a part of it is known', () => {
  const r = new Redactor()
  r.know('user', 'zora')
  assert.ok(!r.text('From: "Zora Zimmermann" <sip:zora@10.0.0.1>').includes('Zimmermann'))
})

test('ordinary words and near addresses stay', () => {
  const line = 'The server cannot be reached: 192.168.1.20 port 7443 (ECONNREFUSED). Check the address. [CHANNEL_UNREACHABLE]'
  assert.equal(new Redactor().text(line), line)
})

/** As people and programs write one address of the network 2001:db8::/32. */
const addresses = fc.array(fc.nat(0xffff), { minLength: 6, maxLength: 6 }).chain((rest) => {
  const groups = [0x2001, 0xdb8, ...rest].map((g) => g.toString(16))
  const short = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
  return fc.constantFrom(groups.join(':'), groups.map((g) => g.padStart(4, '0')).join(':'), short, short.toUpperCase(), `${groups.slice(0, 6).join(':')}:203.0.113.7`)
})
const places: readonly ((a: string) => string)[] = [
  (a) => a, (a) => `HOST is 192.168.1.20, ${a}.`, (a) => `[${a}]:5060`, (a) => `Via: SIP/2.0/UDP [${a}]:5060;received=${a};branch=z9hG4bKabc`, (a) => `Contact: <sip:[${a}]:5060;transport=tcp>`,
  (a) => `c=IN IP6 ${a}`, (a) => `a=candidate:1 1 UDP 2130706431 ${a} 5000 typ host`, (a) => `received:${a}:7443`, (a) => `${a}%eth0 and ${a}: gone`, (a) => `connect ECONNREFUSED ${a}:7443`,
]

test('no IPv6 address comes through, in whatever way and wherever it is written', () => {
  fc.assert(fc.property(addresses, fc.constantFrom(...places), (address, place) => {
    const r = new Redactor()
    r.know('room', 'db8', '1', '20')
    const text = r.text(place(address))
    assert.ok(text.includes('<address-'), text)
    assert.ok(!/db8|2001|203\.0/i.test(text), text)
    for (const run of text.match(/[0-9a-f:.]{2,45}/gi) ?? []) assert.ok(!isIPv6(run), text)
  }), { numRuns: 500 })
})

test('one IPv6 address has one name, that of the configuration where it stands there; near ones and words stay', () => {
  const r = new Redactor()
  r.know('server', '2001:db8::7')
  assert.equal(r.text('2001:DB8::7, 2001:db8::9 and [2001:db8::9]:5060'), '<server-1>, <address-1> and [<address-1>]:5060')
  const line = 'std::string at 14:32:51, :: and ::1, fe80::1%eth0, fd12:3456::1, ::ffff:192.168.1.20, aa:bb:cc:dd:ee:ff'
  assert.equal(new Redactor().text(line), line)
})

const named = fc.tuple(
  fc.constantFrom('From', 'To', 't', 'Contact', 'P-Asserted-Identity', 'P-Preferred-Identity', 'Diversion', 'Referred-By', 'Refer-To', 'X-Something-New'),
  fc.constantFrom('Zora Zimmermann', '"Zora Zimmermann"', '"Zora \\"the\\" Zimmermann"', '"Zora <Zimmermann>"', 'Zora  Zimmermann', 'Zimmermann', '"Zimmermann, Zora"'),
  fc.constantFrom(' <sip:z@10.0.0.1>', '<sips:z@10.0.0.1>', ' <tel:+4930123>'), fc.boolean(),
)
test('no display name comes through, in whatever header and at whatever place of it', () => {
  fc.assert(fc.property(named, ([header, name, uri, second]) => {
    const text = new Redactor().text(`INVITE sip:8100@10.0.0.1 SIP/2.0\n${header}: ${second ? 'Anna Example <sip:a@10.0.0.1>;tag=1, ' : ''}${name}${uri};x=y\nCSeq: 1 INVITE`)
    assert.ok(!/Zora|Zimmermann|Anna|Example/.test(text), text)
    assert.ok(text.includes(`\n${header}: `) && text.endsWith('\nCSeq: 1 INVITE'), text)
  }), { numRuns: 500 })
})
