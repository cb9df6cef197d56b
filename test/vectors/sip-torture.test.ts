/** RFC 4475: each message is accepted or refused as the RFC's own text for it says. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromUtf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { addressesOf, headerOf } from '../../src/protocol/sip/message.ts'
import type { SipMessage, SipRequest } from '../../src/protocol/sip/message.ts'
import { inspectRequest } from '../../src/protocol/sip/inspect.ts'
import { parseMessage } from '../../src/protocol/sip/parse.ts'
import { refuseRaw, statusOf } from '../../src/protocol/sip/reply.ts'
import { serialise } from '../../src/protocol/sip/serialise.ts'
import { paramOf } from '../../src/protocol/sip/scanner.ts'

const folder = new URL('../../../shared/vectors/sip-torture/', import.meta.url)
const served = {
  methods: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER'],
  extensions: ['100rel', 'timer'],
  bodies: { INVITE: ['application/sdp'] },
}

/** `accept`: well-formed and acted upon; `drop`: a response that is discarded; a number: the code that the request is refused with. */
type Verdict = 'accept' | 'drop' | number
interface Case {
  readonly section: string
  readonly verdict: Verdict
  /** Where the RFC calls a second behaviour acceptable too, why this one. */
  readonly note?: string
  /** The RFC's "parsers must accept": well-formed although the user agent refuses it. */
  readonly wellFormed?: boolean
  readonly check?: (m: SipMessage) => void
}

const cases: Readonly<Record<string, Case>> = {
  'TC_WSINV.dat': {
    section: '3.1.1.1', verdict: 'accept', check: (m) => {
      assert.equal(m.via.length, 3)
      assert.deepEqual(m.via.map((v) => paramOf(v.params, 'branch')), ['390skdjuw', 'z9hG4bK9ikj8', 'z9hG4bK30239'])
      assert.deepEqual(m.cseq, { number: 9, method: 'INVITE' })
      assert.equal((m as SipRequest).maxForwards, 68)
      assert.equal(headerOf(m, 'NewFangledHeader'), 'newfangled value continued newfangled value')
      assert.equal(headerOf(m, 'UnknownHeaderWithUnusualValue'), ';;,,;;,;')
      assert.equal(headerOf(m, 'Subject'), '')
      assert.equal(paramOf(addressesOf(m, 'Contact')[0]!.params, 'q'), '0.33')
    },
  },
  'TC_INTMETH.dat': {
    section: '3.1.1.2', verdict: 501, wellFormed: true, check: (m) => {
      assert.equal((m as SipRequest).method, "!interesting-Method0123456789_*+`.%indeed'~")
      assert.ok(m.to.display!.includes('\\\0'))
      assert.equal((m as SipRequest).maxForwards, 255)
    },
  },
  'TC_ESC02_V.dat': {
    section: '3.1.1.5', verdict: 501, wellFormed: true, check: (m) => {
      assert.equal((m as SipRequest).method, 'RE%47IST%45R')
      assert.equal(addressesOf(m, 'Contact').length, 2)
      assert.equal(headerOf(m, 'C%6Fntact'), '<sip:alias2@host2.example.com>')
    },
  },
  'TC_DBLREQ.dat': { section: '3.1.1.8', verdict: 'accept', check: (m) => {
    assert.equal(m.cseq.method, 'REGISTER')
    assert.equal(m.body.length, 0, 'what follows the body in a datagram is ignored')
  } },
  'TC_NOREASON_V.dat': { section: '3.1.1.13', verdict: 'accept', check: (m) => assert.equal(m.kind === 'response' && m.reason, '') },
  'TC_BADINV01_I.dat': { section: '3.1.2.1', verdict: 400 },
  'TC_SCALAR02_V.dat': { section: '3.1.2.4', verdict: 400 },
  'TC_QUOTBAL_I.dat': { section: '3.1.2.6', verdict: 400 },
  'TC_LTGTRURI_I.dat': { section: '3.1.2.7', verdict: 400 },
  'TC_LWSRURI_I.dat': { section: '3.1.2.8', verdict: 400 },
  'TC_TRWS_I.dat': { section: '3.1.2.10', verdict: 400, note: 'acceptable to reject; ignoring the spaces would be liberal' },
  'TC_ESCRURI_V.dat': { section: '3.1.2.11', verdict: 400, note: 'acceptable to reject' },
  'TC_BADDATE_V.dat': { section: '3.1.2.12', verdict: 'accept', note: 'should not be rejected by an element that does not use Date' },
  'TC_REGBADCT_I.dat': { section: '3.1.2.13', verdict: 400 },
  'TC_BADASPEC_I.dat': { section: '3.1.2.14', verdict: 400, note: 'reasonable to reject' },
  'TC_MISMATCH02_V.dat': { section: '3.1.2.18', verdict: 501 },
  'TC_BIGCODE_V.dat': { section: '3.1.2.19', verdict: 'drop' },
  'TC_UNKSM2_V.dat': { section: '3.3.4', verdict: 400, wellFormed: true },
  'TC_INVUT_V.dat': { section: '3.3.6', verdict: 415, wellFormed: true },
  'TC_MULTI01_I.dat': { section: '3.3.8', verdict: 400 },
  'TC_MCL01_I.dat': { section: '3.3.9', verdict: 400 },
  'TC_BCAST_V.dat': {
    section: '3.3.10', verdict: 'accept', note: 'well-formed; discarded because it has two Via values (RFC 3261 §8.1.3.3)',
    check: (m) => assert.equal(m.via[1]!.host, '255.255.255.255'),
  },
  'TC_CPARAM01_V.dat': { section: '3.3.12', verdict: 'accept', check: (m) => assert.deepEqual(addressesOf(m, 'Contact')[0]!.params, [{ name: 'unknownparam' }]) },
  'TC_SDP01_V.dat': { section: '3.3.15', verdict: 406, wellFormed: true },
  'TC_TEST_I.dat': { section: 'not in the RFC', verdict: 400 },
}

for (const [name, c] of Object.entries(cases)) {
  test(`RFC 4475 ${c.section} ${name}: ${c.verdict}${c.note === undefined ? '' : ` (${c.note})`}`, (t) => {
    if (!existsSync(folder)) return t.skip('the folder shared/vectors is not there')
    const bytes = readFileSync(new URL(name, folder))
    const parsed = parseMessage(bytes)
    if (parsed.ok) {
      c.check?.(parsed.value)
      const again = must(parseMessage(serialise(parsed.value)))
      assert.deepEqual(again, parsed.value, 'what is parsed and written parses the same')
    }
    assert.equal(verdictOf(parsed, bytes), c.verdict)
    if (c.wellFormed === true) assert.ok(parsed.ok)
  })
}

function verdictOf(parsed: ReturnType<typeof parseMessage>, bytes: Uint8Array): Verdict {
  if (parsed.ok) return parsed.value.kind === 'response' ? 'accept' : (inspectRequest(parsed.value, served)?.status ?? 'accept')
  const status = statusOf(parsed.fault.code)
  if (status === undefined) return 'drop'
  const reply = refuseRaw(bytes, status, 'Bad')
  // TC_TEST_I lacks what a response needs; all others get one that names the request.
  if (reply === undefined) return status
  assert.match(fromUtf8(reply)!, new RegExp(`^SIP/2.0 ${status} Bad\r\nVia: `))
  return status
}

test('every file of the folder has its verdict', (t) => {
  if (!existsSync(folder)) return t.skip('the folder shared/vectors is not there')
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(cases).sort())
})
