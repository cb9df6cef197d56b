import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doctorGerman, SENTENCES } from '../../../src/cli/doctor/german.ts'

test('each sentence of the doctor has its German, with the same particulars', () => {
  assert.equal(new Set(SENTENCES.map(([english]) => english)).size, SENTENCES.length)
  for (const [english, german] of SENTENCES) {
    assert.deepEqual([...english.matchAll(/\{\d\}/g)].map(String).sort(), [...german.matchAll(/\{\d\}/g)].map(String).sort(), english)
    const filled = (text: string): string => text.replace(/\{(\d)\}/g, (_, n: string) => `x${n}`)
    assert.equal(doctorGerman(filled(english)), filled(german), english)
  }
})

test('a fault among the findings speaks German, also inside a sentence; what nobody knows stays', () => {
  assert.equal(doctorGerman('The certificate has expired: anna in anna.pem. Ask whoever runs the certificate authority for a new certificate. [IDENTITY_EXPIRED]'), 'Das Zertifikat ist abgelaufen: anna in anna.pem. Bitten Sie den Betreiber der Ausgabestelle um ein neues Zertifikat. [IDENTITY_EXPIRED]')
  assert.match(doctorGerman("the server's certificate is not valid now: The certificate has expired. Ask whoever runs the certificate authority for a new certificate. [IDENTITY_EXPIRED]")!, /^das Zertifikat des Servers gilt jetzt nicht: Das Zertifikat ist abgelaufen\. .*\[IDENTITY_EXPIRED\]$/)
  assert.equal(doctorGerman('something new'), undefined)
})
