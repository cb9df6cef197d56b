/** A processor maker of our own: root, platform, quoting enclave, statements, and quotes, any part of which can be wrong. */
import { type Der, type UnixTime, unixTime } from '../../src/base/brand.ts'
import { ok, type Result } from '../../src/base/result.ts'
import { concat, utf8 } from '../../src/base/bytes.ts'
import type { Signer } from '../../src/crypto/port.ts'
import { authorityKeyId, basicConstraints, crlNumber, extension, keyUsage, signCertificate, signRevocationList, subjectKeyId, subjectName } from '../../src/pki/certificate.ts'
import { integer, octetString, oid, sequence } from '../../src/pki/der.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { KEY_USAGE } from '../../src/protocol/x509/extensions.ts'
import type { Collateral } from '../../src/protocol/sgx/collateral.ts'
import { crypto, DAY_S, later, newSigner, NOW } from './certificates.ts'

const SGX = '1.2.840.113741.1.13.1'
const le16 = (n: number): Uint8Array => Uint8Array.of(n & 255, n >> 8)
const le32 = (n: number): Uint8Array => Uint8Array.of(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24)
const raw = (signer: Signer, message: Uint8Array): Uint8Array => {
  const der = signer.sign(message)
  const part = (at: number): Uint8Array => {
    const body = der.subarray(at + 2, at + 2 + der[at + 1]!)
    const n = new Uint8Array(32)
    n.set(body.subarray(Math.max(0, body.length - 32)), Math.max(0, 32 - body.length))
    return n
  }
  const second = 4 + der[3]!
  return concat(part(2), part(second))
}
const iso = (s: number): string => new Date(s * 1000).toISOString().replace('.000', '')

interface Named { readonly name: string; readonly signer: Signer; readonly id: Uint8Array }
const named = (name: string): Named => ({ name, signer: newSigner(), id: crypto.bytes(20) })
function certificate(of: Named, by: Named, ca: boolean, more: readonly Der[] = []): Der {
  const usage = keyUsage(ca ? KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign : KEY_USAGE.digitalSignature)
  return signCertificate(by.signer, {
    serial: Uint8Array.from([1, ...of.id.subarray(0, 8)]), issuer: subjectName({ name: by.name }), subject: subjectName({ name: of.name }), notBefore: unixTime(1_600_000_000), notAfter: unixTime(4_000_000_000), spki: of.signer.spki,
    extensions: [basicConstraints(ca), usage, subjectKeyId(of.id), authorityKeyId(by.id), ...more],
  })
}
export const serialOf = (of: Named): Uint8Array => Uint8Array.from([1, ...of.id.subarray(0, 8)])
function crl(by: Named, revoked: readonly Named[] = [], signer = by.signer, nextUpdate = later(30 * DAY_S), thisUpdate = unixTime(1_600_000_000)): Der {
  return signRevocationList(signer, { issuer: subjectName({ name: by.name }), thisUpdate, nextUpdate, revoked: revoked.map((r) => ({ serial: serialOf(r), when: later(-7200) })), extensions: [authorityKeyId(by.id), crlNumber(1)] })
}

export interface ReportFields {
  attributes?: Uint8Array
  mrEnclave?: Uint8Array
  mrSigner?: Uint8Array
  isvProdId?: number
  isvSvn?: number
  reportData?: Uint8Array
}
export const report = (f: ReportFields = {}): Uint8Array => concat(
  new Uint8Array(48), f.attributes ?? Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0), f.mrEnclave ?? new Uint8Array(32).fill(0xaa), new Uint8Array(32), f.mrSigner ?? new Uint8Array(32).fill(0xbb),
  new Uint8Array(96), le16(f.isvProdId ?? 7), le16(f.isvSvn ?? 3), new Uint8Array(60), f.reportData ?? new Uint8Array(64).fill(0xcc),
)
export interface TdFields { tcbSvn?: readonly number[]; tdAttributes?: Uint8Array; mrTd?: Uint8Array; reportData?: Uint8Array; mrSignerSeam?: Uint8Array }
export const tdReport = (f: TdFields = {}, long = false): Uint8Array => concat(
  Uint8Array.from(f.tcbSvn ?? [5, 0, 6, ...Array<number>(13).fill(0)]), new Uint8Array(48), f.mrSignerSeam ?? new Uint8Array(48), new Uint8Array(8), f.tdAttributes ?? new Uint8Array(8), new Uint8Array(8), f.mrTd ?? new Uint8Array(48).fill(0xdd),
  new Uint8Array(336), f.reportData ?? new Uint8Array(64).fill(0xcc), new Uint8Array(long ? 64 : 0),
)

type Json = Record<string, unknown>

/** Everything good; what a test changes is made wrong before it is signed, or after. */
export class ProcessorMaker {
  readonly root = named('Intel SGX Root CA')
  readonly pckCa = named('Intel SGX PCK Processor CA')
  readonly pck = named('Intel SGX PCK Certificate')
  readonly tcbSigner = named('Intel SGX TCB Signing')
  readonly attestation = newSigner()
  readonly qeSigner = new Uint8Array(32).fill(0x8c)
  tee: 'SGX' | 'TDX' = 'SGX'
  /** Of what it publishes. */
  readonly now: UnixTime

  constructor(now: UnixTime = NOW) {
    this.now = now
  }

  get rootKey(): Der {
    return this.root.signer.spki
  }
  rootCertificate(): Der {
    return certificate(this.root, this.root, true)
  }
  platform(components: readonly number[] = Array<number>(16).fill(5), pceSvn = 9): Der {
    const tcb = [...components, pceSvn].map((svn, i) => sequence(oid(`${SGX}.2.${i + 1}`), integer(svn)))
    return extension(SGX, sequence(
      sequence(oid(`${SGX}.1`), octetString(new Uint8Array(16))), sequence(oid(`${SGX}.2`), sequence(...tcb, sequence(oid(`${SGX}.2.18`), octetString(new Uint8Array(16))))),
      sequence(oid(`${SGX}.3`), octetString(new Uint8Array(2))), sequence(oid(`${SGX}.4`), octetString(Uint8Array.of(0, 0xa0, 0x67, 0x11, 0, 0))),
    ))
  }
  pckChain(platform = this.platform(), root = this.rootCertificate(), pck = this.pck): Uint8Array {
    const ders = [certificate(pck, this.pckCa, false, [platform]), certificate(this.pckCa, this.root, true), root]
    return utf8(ders.map((d) => encodePem('CERTIFICATE', d)).join(''))
  }
  /** `version` 3, 4 or 5; the body may be any octets. */
  quote(o: { version?: 3 | 4 | 5; body?: Uint8Array; qe?: ReportFields; chain?: Uint8Array; pck?: Signer; attestation?: Signer } = {}): Uint8Array {
    const { version = 3, body = this.tee === 'SGX' ? report() : tdReport() } = o
    const type = body.length === 384 ? 1 : body.length === 584 ? 2 : 3
    const tee = version === 3 ? 0 : type === 1 ? 0 : 0x81
    const header = concat(le16(version), le16(2), le32(tee), new Uint8Array(40))
    const signed = concat(header, ...(version === 5 ? [le16(type), le32(body.length)] : []), body)
    const key = (o.attestation ?? this.attestation).spki.subarray(-64)
    const auth = Uint8Array.of(1, 2, 3)
    const qe = report({ mrSigner: this.qeSigner, isvProdId: 1, isvSvn: 8, reportData: concat(crypto.hash('sha256', key, auth), new Uint8Array(32)), ...o.qe })
    const chain = o.chain ?? this.pckChain()
    const certification = concat(qe, raw(o.pck ?? this.pck.signer, qe), le16(auth.length), auth, le16(5), le32(chain.length), chain)
    const data = concat(raw(o.attestation ?? this.attestation, signed), key, ...(version === 3 ? [] : [le16(6), le32(certification.length)]), certification)
    return concat(signed, le32(data.length), data)
  }
  tcbInfo(change: Json = {}): Json {
    const level = (svn: number, pcesvn: number, tcbStatus: string, advisoryIDs?: string[]): Json => ({
      tcb: { sgxtcbcomponents: Array.from({ length: 16 }, () => ({ svn })), ...(this.tee === 'TDX' ? { tdxtcbcomponents: Array.from({ length: 16 }, (_, i) => ({ svn: i === 2 ? svn : 0 })) } : {}), pcesvn },
      tcbDate: iso(NOW), tcbStatus, ...(advisoryIDs === undefined ? {} : { advisoryIDs }),
    })
    return {
      id: this.tee, version: 3, issueDate: iso(this.now - 3600), nextUpdate: iso(this.now + 30 * DAY_S), fmspc: '00A067110000', pceId: '0000', tcbType: 0, tcbEvaluationDataNumber: 17,
      ...(this.tee === 'TDX' ? { tdxModule: { mrsigner: '00'.repeat(48), attributes: '0000000000000000', attributesMask: 'FFFFFFFFFFFFFFFF' }, tdxModuleIdentities: [{ id: 'TDX_01', mrsigner: '00'.repeat(48), attributes: '0000000000000000', attributesMask: 'FFFFFFFFFFFFFFFF', tcbLevels: [{ tcb: { isvsvn: 4 }, tcbDate: iso(NOW), tcbStatus: 'UpToDate' }, { tcb: { isvsvn: 2 }, tcbDate: iso(NOW), tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-00001'] }] }] } : {}),
      tcbLevels: [level(5, 9, 'UpToDate'), level(4, 9, 'SWHardeningNeeded', ['INTEL-SA-00334']), level(3, 8, 'OutOfDate', ['INTEL-SA-00615']), level(2, 5, 'Revoked')], ...change,
    }
  }
  qeIdentity(change: Json = {}): Json {
    return {
      id: this.tee === 'SGX' ? 'QE' : 'TD_QE', version: 2, issueDate: iso(this.now - 3600), nextUpdate: iso(this.now + 30 * DAY_S), tcbEvaluationDataNumber: 17, miscselect: '00000000', miscselectMask: 'FFFFFFFF',
      attributes: '05000000000000000000000000000000', attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000', mrsigner: '8C'.repeat(32), isvprodid: 1,
      tcbLevels: [{ tcb: { isvsvn: 8 }, tcbDate: iso(NOW), tcbStatus: 'UpToDate' }, { tcb: { isvsvn: 2 }, tcbDate: iso(NOW), tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-00477'] }], ...change,
    }
  }
  collateral(o: { tcbInfo?: Json; qeIdentity?: Json; signer?: Named; revoked?: readonly Named[]; listed?: UnixTime; change?: Partial<Collateral> } = {}): Collateral {
    const by = o.signer ?? this.tcbSigner
    const chain = [certificate(by, this.root, false), this.rootCertificate()].map((d) => encodePem('CERTIFICATE', d)).join('')
    const [tcbInfo, qeIdentity] = [JSON.stringify(o.tcbInfo ?? this.tcbInfo()), JSON.stringify(o.qeIdentity ?? this.qeIdentity())]
    return {
      rootCrl: this.#list(this.root, o.revoked, o.listed), pckCrl: this.#list(this.pckCa, o.revoked, o.listed), tcbInfoChain: chain, tcbInfo, tcbInfoSignature: raw(by.signer, utf8(tcbInfo)),
      qeIdentityChain: chain, qeIdentity, qeIdentitySignature: raw(by.signer, utf8(qeIdentity)), ...o.change,
    }
  }
  #list(by: Named, revoked?: readonly Named[], listed?: UnixTime): Der {
    return crl(by, revoked, by.signer, unixTime(this.now + 30 * DAY_S), listed)
  }
  /** An enclave that is told what to sign. */
  enclave(fields: Omit<ReportFields, 'reportData'> = {}, o: Omit<Parameters<ProcessorMaker['quote']>[0] & object, 'body'> = {}): (reportData: Uint8Array) => Result<Uint8Array> {
    return (reportData) => ok(this.quote({ ...o, body: report({ ...fields, reportData }) }))
  }
  lists = { crl, named }
}
