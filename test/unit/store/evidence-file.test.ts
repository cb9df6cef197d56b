/** Revocation lists over restarts: the newest stays, and an older one does not come back. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { issueRevocationList } from '../../../src/pki/authority.ts'
import { EvidenceFile } from '../../../src/store/evidence-file.ts'
import { later, testCa } from '../../kit/certificates.ts'
import { journalFolder } from '../../kit/journal.ts'

const ca = testCa()
const list = (number: number) => ({ kind: 'crl' as const, der: issueRevocationList(ca, [], number, later(number * 60)) })

test('what was learnt is there after a restart, the newest first, and an older list does not push it out', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  const [older, newer] = [list(1), list(2)]
  must(new EvidenceFile(file).learn([newer]))
  const again = new EvidenceFile(file)
  assert.deepEqual(again.proofs(), [newer])
  must(again.learn([older]))
  assert.deepEqual(new EvidenceFile(file).proofs()[0], newer)
  assert.equal(new EvidenceFile(file).proofs(0).length, 0, 'never more than there is room for')
})

test('a file that is damaged anywhere never throws, and gives only whole statements', (t) => {
  const file = path.join(journalFolder(t), 'evidence.stc')
  must(new EvidenceFile(file).learn([list(1)]))
  const good = readFileSync(file)
  for (let n = 0; n < good.length; n += 3) {
    writeFileSync(file, good.subarray(0, n))
    assert.deepEqual(new EvidenceFile(file).proofs(), [], `${n} octets`)
  }
  writeFileSync(file, Buffer.from('something else'))
  assert.deepEqual(new EvidenceFile(file).proofs(), [])
})
