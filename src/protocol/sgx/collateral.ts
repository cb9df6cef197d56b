/** What Intel publishes about platforms, as its provisioning service and every cache of it serve it (PCS API v4). */
import type { Der, UnixTime } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { timeOf } from '../x509/time.ts'
import { z } from '../wire/zod.ts'

export const COLLATERAL_OCTETS_LIMIT = 131_072

/** Whoever hands it over need not be trusted: everything in it is signed. */
export interface Collateral {
  readonly rootCrl: Der
  readonly pckCrl: Der
  /** PEM: Intel's signing certificate for both statements, and its root. */
  readonly tcbInfoChain: string
  /** JSON, octet for octet as it was signed; r ‖ s. */
  readonly tcbInfo: string
  readonly tcbInfoSignature: Uint8Array
  readonly qeIdentityChain: string
  readonly qeIdentity: string
  readonly qeIdentitySignature: Uint8Array
}

export const TCB_STATUSES = [
  'UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded', 'Revoked',
] as const
export type TcbStatus = (typeof TCB_STATUSES)[number]

const hex = (octets: number) => z.string().regex(new RegExp(`^[0-9A-Fa-f]{${2 * octets}}$`)).transform((s) => s.toUpperCase())
const svn = z.int().min(0).max(65_535)
const date = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/).transform((s, c): UnixTime => {
  const [year, month, day, hour, minute, second] = s.split(/[-T:Z]/).map(Number) as [number, number, number, number, number, number]
  const t = timeOf({ year, month, day, hour, minute, second })
  if (t !== undefined) return t
  c.addIssue('no such time')
  return z.NEVER
})
const status = z.enum(TCB_STATUSES)
const advisories = z.array(z.string().regex(/^[A-Z0-9-]{1,32}$/)).max(128).default([])
const components = z.array(z.object({ svn })).length(16).transform((list) => list.map((c) => c.svn))
const dated = { issueDate: date, nextUpdate: date, tcbEvaluationDataNumber: z.int().min(0) }
const isvLevels = z.array(z.object({ tcb: z.object({ isvsvn: svn }), tcbDate: date, tcbStatus: status, advisoryIDs: advisories })).max(64)

const tcbInfoSchema = z.object({
  id: z.enum(['SGX', 'TDX']), version: z.literal(3), ...dated, fmspc: hex(6), pceId: hex(2),
  tdxModule: z.object({ mrsigner: hex(48), attributes: hex(8), attributesMask: hex(8) }).optional(),
  tdxModuleIdentities: z.array(z.object({ id: z.string().max(32), mrsigner: hex(48), attributes: hex(8), attributesMask: hex(8), tcbLevels: isvLevels })).max(16).default([]),
  tcbLevels: z.array(z.object({
    tcb: z.object({ sgxtcbcomponents: components, tdxtcbcomponents: components.optional(), pcesvn: svn }),
    tcbDate: date, tcbStatus: status, advisoryIDs: advisories,
  })).max(64),
})
const qeIdentitySchema = z.object({
  id: z.enum(['QE', 'TD_QE']), version: z.literal(2), ...dated, miscselect: hex(4), miscselectMask: hex(4), attributes: hex(16), attributesMask: hex(16),
  mrsigner: hex(32), isvprodid: svn, tcbLevels: isvLevels,
})
export type TcbInfo = z.output<typeof tcbInfoSchema>
export type QeIdentity = z.output<typeof qeIdentitySchema>
export type IsvLevel = QeIdentity['tcbLevels'][number]

export const readTcbInfo = (json: string): Result<TcbInfo> => read(json, tcbInfoSchema, 'platform')
export const readQeIdentity = (json: string): Result<QeIdentity> => read(json, qeIdentitySchema, 'quoting enclave')

function read<T>(json: string, schema: z.ZodType<T>, what: string): Result<T> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return err('ATTESTATION_COLLATERAL', `${what}: not JSON`)
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? ok(parsed.data) : err('ATTESTATION_COLLATERAL', `${what}: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`)
}
