import assert from 'node:assert/strict'
import { test } from 'node:test'
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
