/** Messages to octets and back. */
import type { z } from 'zod'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import { MESSAGE_LIMIT } from './limits.ts'
import type { ClientMessage, ServerMessage } from './messages.ts'
import { clientSchemas, serverSchemas } from './schemas.ts'

export const encodeClientMessage = (m: ClientMessage): Result<Uint8Array> => encode(m, clientSchemas)
export const encodeServerMessage = (m: ServerMessage): Result<Uint8Array> => encode(m, serverSchemas)
export const decodeClientMessage = (octets: Uint8Array): Result<ClientMessage> => decode<ClientMessage>(octets, clientSchemas)
export const decodeServerMessage = (octets: Uint8Array): Result<ServerMessage> => decode<ServerMessage>(octets, serverSchemas)

type Schemas = Readonly<Record<string, z.ZodType>>

/** Own messages are checked too: what we would refuse we do not send. */
function encode(m: ClientMessage | ServerMessage, schemas: Schemas): Result<Uint8Array> {
  const checked = check(m, m.k, schemas)
  if (!checked.ok) return checked
  const octets = encodeCbor({ ...(checked.value as object), k: m.k })
  return octets.length > MESSAGE_LIMIT ? err('CHANNEL_TOO_LONG', `${m.k} of ${octets.length} octets`) : ok(octets)
}

function decode<M extends ClientMessage | ServerMessage>(octets: Uint8Array, schemas: Schemas): Result<M> {
  if (octets.length > MESSAGE_LIMIT) return err('CHANNEL_TOO_LONG', `${octets.length} octets`)
  const value = decodeCbor(octets)
  if (!value.ok) return value
  const m = value.value
  if (typeof m !== 'object' || m === null || Array.isArray(m) || m instanceof Uint8Array) return err('CHANNEL_BAD_MESSAGE', 'it is no map')
  const kind = m['k']
  if (typeof kind !== 'string') return err('CHANNEL_BAD_MESSAGE', 'it has no kind')
  const checked = check(m, kind, schemas)
  return checked.ok ? ok({ k: kind, ...(checked.value as object) } as unknown as M) : checked
}

function check(m: unknown, kind: string, schemas: Schemas): Result<unknown> {
  const schema = Object.hasOwn(schemas, kind) ? schemas[kind] : undefined
  if (schema === undefined) return err('CHANNEL_UNKNOWN_KIND', JSON.stringify(kind.slice(0, 40)))
  const parsed = schema.safeParse(m)
  if (parsed.success) return ok(parsed.data)
  const first = parsed.error.issues[0]
  return err('CHANNEL_BAD_MESSAGE', `${kind}.${first?.path.map(String).join('.') ?? ''}: ${first?.message ?? 'wrong'}`.slice(0, 300))
}
