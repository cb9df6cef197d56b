/** An authority whose issuing key is renewed, and whose certificates are judged as everybody does. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Der } from '../../src/base/brand.ts'
import { must, type Result } from '../../src/base/result.ts'
import type { RevocationProof } from '../../src/model/trust.ts'
import type { Authority } from '../../src/pki/authority.ts'
import { caFiles, readBlock } from '../../src/pki/ca-files.ts'
import { Joining } from '../../src/pki/enrolment/join.ts'
import { renewIssuing } from '../../src/pki/issuing.ts'
import { renewAtDoor } from '../../src/pki/renewal.ts'
import { currentLists } from '../../src/pki/revoked.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { makeAnchors, verifyPath } from '../../src/protocol/x509/path.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { readCertificates } from '../../src/store/identity-file.ts'
import { AuthorityDesk } from './authority-desk.ts'
import { crypto } from './certificates.ts'

export class IssuingStage extends AuthorityDesk {
  readonly rootKey = must(readBlock(caFiles(this.options.dir).rootKey, 'PRIVATE KEY'))

  renewIssuing(compromised: boolean, rootKey = this.rootKey): Authority {
    const ca = must(renewIssuing(crypto, this.options.dir, { rootKey, compromised, now: this.now }))
    Object.assign(this.options, { ca })
    return ca
  }
  async member(name: string) {
    const joining = new Joining(crypto, this.invite(name, { confirmed: true, lifetimeDays: 90 }))
    return { chain: must(await joining.ask(this.ask, this.now))!.chain, pkcs8: joining.pkcs8 }
  }
  /** As servers and members get them. */
  lists(): RevocationProof[] {
    return must(currentLists(this.options.ca, this.options.dir, this.now)).map((der) => ({ kind: 'crl', der: der as Der }))
  }
  judge(chain: readonly Der[], lists = this.lists(), purpose: 'member' | 'server' = 'member'): string {
    const r = verifyPath(crypto, chain, must(makeAnchors([this.options.root])), lists, this.now, purpose, 'named')
    return r.ok ? 'accepted' : r.fault.code
  }
  async renewed({ chain, pkcs8 }: { chain: readonly Der[]; pkcs8: Uint8Array }): Promise<Result<readonly Der[]>> {
    const certificateFile = path.join(this.dir, 'renewed.pem')
    writeFileSync(certificateFile, chain.map((der) => encodePem('CERTIFICATE', der)).join(''))
    using signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
    const done = await renewAtDoor(crypto, { certificate: must(parseCertificate(chain[0]!)), chain, signer, certificateFile }, this.options.root, this.ask, this.now)
    return done.ok ? readCertificates(certificateFile) : done
  }
}

export function staged(t: { after(f: () => void): void }): IssuingStage {
  const stage = new IssuingStage()
  t.after(() => stage.close())
  return stage
}
