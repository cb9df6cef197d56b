/** What a processor's certificate (PCK) says of its platform: Intel SGX PCK Certificate and CRL Profile §1.3.5. */
import { type Result, err, ok } from '../../base/result.ts'
import { toHex } from '../../base/bytes.ts'
import type { Der } from '../../base/brand.ts'
import { type Certificate, parseCertificate } from '../x509/certificate.ts'
import { context, DerReader, TAG } from '../x509/der.ts'
import { readExtension } from '../x509/extensions.ts'
import { latin1 } from '../x509/name.ts'
import { decodePem } from '../x509/pem.ts'
import { parseQuote } from './quote.ts'

const SGX = '1.2.840.113741.1.13.1'
const TCB = `${SGX}.2`
const PCE_ID = `${SGX}.3`
const FMSPC = `${SGX}.4`
const COMPONENTS = 16

export interface PlatformTcb {
  /** Security versions of the sixteen components. */
  readonly components: readonly number[]
  readonly pceSvn: number
  /** Family, model, stepping, platform, custom SKU: upper-case hex. */
  readonly fmspc: string
  readonly pceId: string
}

export function platformOf(c: Certificate): Result<PlatformTcb> {
  const value = extensionValue(c, SGX)
  if (value === undefined) return err('ATTESTATION_CHAIN', 'the certificate is not a processor\'s')
  const r = new DerReader(value)
  const fields = new Map<string, DerReader>()
  const list = r.enter(TAG.sequence)
  r.end()
  while (list.more) {
    const field = list.enter(TAG.sequence)
    fields.set(field.oid(), field)
  }
  const tcb = readTcb(fields.get(TCB)?.enter(TAG.sequence))
  const pceId = fields.get(PCE_ID)?.octetString()
  const fmspc = fields.get(FMSPC)?.octetString()
  if (r.failed || tcb === undefined || pceId?.length !== 2 || fmspc?.length !== 6) return err('ATTESTATION_CHAIN', r.failure.reason ?? 'the processor\'s certificate lacks its platform')
  return ok({ ...tcb, pceId: toHex(pceId).toUpperCase(), fmspc: toHex(fmspc).toUpperCase() })
}

/** SEQUENCE of { OID …2.n, INTEGER }: 1 to 16 are components, 17 is the PCE's, 18 all in one. */
function readTcb(list: DerReader | undefined): Pick<PlatformTcb, 'components' | 'pceSvn'> | undefined {
  const svn = new Map<string, number>()
  while (list?.more === true) {
    const field = list.enter(TAG.sequence)
    const oid = field.oid()
    if (field.next(TAG.integer)) svn.set(oid, field.small())
    else field.any()
    field.end()
  }
  const of = (n: number): number => svn.get(`${TCB}.${n}`) ?? -1
  const components = Array.from({ length: COMPONENTS }, (_, i) => of(i + 1))
  const pceSvn = of(COMPONENTS + 1)
  return pceSvn < 0 || components.some((n) => n < 0) ? undefined : { components, pceSvn }
}

function extensionValue(c: Certificate, wanted: string): Uint8Array | undefined {
  const tbs = new DerReader(c.tbs).enter(TAG.sequence)
  while (tbs.more && !tbs.next(context(3, true))) tbs.any()
  const list = tbs.enterIf(context(3, true))?.enter(TAG.sequence)
  while (list?.more === true) {
    const { oid, value } = readExtension(list)
    if (oid === wanted) return value
  }
  return undefined
}

/** What the quote itself says of its platform: which collateral it asks for. Nobody vouches for it yet. */
export function platformOfQuote(bytes: Uint8Array): Result<{ readonly tee: 'sgx' | 'tdx'; readonly family: string }> {
  const quote = parseQuote(bytes)
  if (!quote.ok) return quote
  const [first] = decodePem(latin1(quote.value.pckChain))
  const certificate = first?.bytes === undefined ? undefined : parseCertificate(first.bytes as Der)
  if (certificate?.ok !== true) return err('ATTESTATION_CHAIN', 'no processor\'s certificate')
  const platform = platformOf(certificate.value)
  return platform.ok ? ok({ tee: quote.value.body.tee, family: platform.value.fmspc + platform.value.pceId }) : platform
}
