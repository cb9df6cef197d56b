/** `stc room`: standing rooms, their owners and rules. */
import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { RoomName } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { KEY_PROTECTIONS } from '../model/identity.ts'
import { ALL_FORWARDED_LIMIT, type BasePolicy, type PolicyChange } from '../model/policy.ts'
import { newKey } from '../pki/keys.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { readKey } from '../store/identity-file.ts'
import { replaceFile } from '../store/atomic-file.ts'
import type { KnownRoom } from '../vault/api/calls.ts'
import { utf8 } from '../base/bytes.ts'
import { keyArgument, keyArguments } from './key-argument.ts'
import { coded, complain, fail, say } from './output.ts'
import { type AtHand, deposit, freshen, withVault } from './with-vault.ts'

interface Rules {
  readonly coOwner: readonly string[]
  readonly host: readonly string[]
  readonly admit: readonly string[]
  /** False: taken away. */
  readonly recovery?: string | false
  readonly size?: number
  readonly lobby?: string
  readonly journal?: string
  readonly gateways?: string
  readonly protection?: BasePolicy['minimumKeyProtection']
}
interface CreateOptions extends Rules {
  readonly config: string
  readonly suite: BasePolicy['suite']
  readonly codec: BasePolicy['codec']
  readonly forwarding: BasePolicy['forwarding']
}
interface EditOptions extends Rules {
  readonly config: string
  readonly admitAll?: boolean
  readonly handOver?: string
  readonly recoverWith?: string
  readonly lock?: boolean
  readonly unlock?: boolean
  readonly unban?: string
}

const onOff = (text: string): string => {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('on or off.')
  return text
}
const collect = (value: string, before: readonly string[]): string[] => [...before, value]
const size = (text: string): number => {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 1000) throw new InvalidArgumentError('1 to 1000.')
  return n
}

function withRules(c: Command): Command {
  return c
    .requiredOption('-c, --config <file>', 'the client\'s configuration: whose identity signs')
    .option('--co-owner <key>', 'another owner: its key as rosters show it, or its certificate\'s file (can be repeated)', collect, [])
    .option('--host <key>', 'a host: may lock, admit, remove and ban (can be repeated)', collect, [])
    .option('--admit <entry>', 'who may join: key, o:Organisation, domain:example.org, cn:Name (can be repeated)', collect, [])
    .option('--recovery <file>', 'key file that may name new owners ("stc room recovery-key FILE" makes one)')
    .option('--size <members>', 'members at most', size)
    .option('--lobby <on|off>', 'everybody but hosts waits until a host admits them', onOff)
    .option('--journal <on|off>', 'members keep a journal of the room, unless their own configuration says otherwise', onOff)
    .option('--gateways <on|off>', 'telephone callers who hold no keys may be let in by a gateway', onOff)
    .addOption(new Option('--protection <least>', 'how members must keep their keys at least').choices(KEY_PROTECTIONS))
}

export function registerRoom(program: Command): void {
  const room = program.command('room').description('standing rooms: whose they are and who may enter')
  withRules(room.command('create').description('make a standing room; you are its owner').argument('<name>'))
    .addOption(new Option('--suite <suite>', 'for life').choices(['x-wing', 'x25519']).default('x-wing'))
    .addOption(new Option('--codec <codec>', 'for life').choices(['g722', 'opus']).default('g722'))
    .addOption(new Option('--forwarding <way>', 'for life').choices(['all', 'loudest']).default('all'))
    .action((name: string, o: CreateOptions) => run(o.config, (at) => create(at, name, o)))
  withRules(room.command('edit').description('change a standing room: rules as an owner, the state as a host').argument('<name>'))
    .option('--admit-all', 'everybody with a certificate that the members trust may join')
    .option('--no-recovery', 'no recovery key any more')
    .option('--hand-over <key>', 'somebody else is the first owner; you stay one')
    .option('--recover-with <file>', 'take the room over with its recovery key')
    .option('--lock', 'nobody enters any more unless a host admits them')
    .option('--unlock', 'unlock it')
    .option('--unban <key>', 'lift a ban')
    .action((name: string, o: EditOptions) => run(o.config, (at) => edit(at, name, o)))
  room.command('show').description('what is known of standing rooms, one or all').argument('[name]')
    .requiredOption('-c, --config <file>', 'the client\'s configuration').option('--json', 'as JSON, one line each')
    .action((name: string | undefined, o: { config: string; json?: boolean }) => run(o.config, (at) => show(at, name, o.json === true)))
  room.command('forget').description('believe whatever policy comes next').argument('<name>').requiredOption('-c, --config <file>', 'the client\'s configuration')
    .action((name: string, o: { config: string }) => run(o.config, async (at) => {
      const done = await at.vault.call('policy.forget', { room: name })
      return done.ok ? at.memory.save(at.vault) : done
    }))
  room.command('recovery-key').description('make a key that can name new owners of rooms; keep it offline').argument('<file>').action(recoveryKey)
}

async function run(config: string, then: (at: AtHand) => Promise<Result<unknown>>): Promise<void> {
  const done = await withVault(config, then)
  if (!done.ok) fail(done.fault)
}

function recoveryKey(file: string): void {
  if (existsSync(file)) return fail(err('IDENTITY_OUTPUT_EXISTS', file).fault)
  const written = replaceFile(file, utf8(encodePem('PRIVATE KEY', newKey(createNodeCrypto()))))
  if (!written.ok) return fail(written.fault)
  say(`Wrote ${file}. Whoever has it can take over the rooms that name it: keep it offline, and not on the owner's machine.`)
}

/** The key that stands in the policy for a recovery key's file. */
function recoveryId(file: string): Result<string> {
  const key = readKey(file)
  if (!key.ok) return key
  try {
    const crypto = createNodeCrypto()
    using signer = crypto.signer('ecdsa-p256-sha256', key.value)
    return ok(toHex(crypto.hash('sha256', signer.spki)))
  } catch {
    return err('IDENTITY_KEY_UNREADABLE', file)
  } finally {
    key.value.fill(0)
  }
}

async function create(at: AtHand, name: string, o: CreateOptions): Promise<Result<undefined>> {
  const [coOwners, hosts] = [keyArguments(o.coOwner), keyArguments(o.host)]
  if (!coOwners.ok) return coOwners
  if (!hosts.ok) return hosts
  const recovery = typeof o.recovery !== 'string' ? ok(undefined) : recoveryId(o.recovery)
  if (!recovery.ok) return recovery
  const before = await freshen(at, name)
  if (!before.ok) complain(`stc: the server could not be asked: ${before.fault.message}`)
  const made = await at.vault.call('policy.draft', {
    room: {
      room: name as RoomName, realm: at.config.realm, hosts: hosts.value, coOwners: coOwners.value, admit: o.admit.length === 0 ? 'anchors' : o.admit,
      suite: o.suite, codec: o.codec, forwarding: o.forwarding, maximumMembers: o.size ?? (o.forwarding === 'all' ? ALL_FORWARDED_LIMIT : 200),
      gatewaysAllowed: o.gateways === 'on', lobby: o.lobby === 'on', journal: o.journal !== 'off', minimumKeyProtection: o.protection ?? 'in-process',
      ...(recovery.value === undefined ? {} : { recovery: recovery.value }),
    },
  })
  return made.ok ? publish(at, made.value.known) : made
}

async function edit(at: AtHand, name: string, o: EditOptions): Promise<Result<undefined>> {
  const before = await freshen(at, name)
  if (!before.ok) return before
  const known = await at.vault.call('policy.known', { room: name })
  if (!known.ok) return known
  const base = known.value.rooms[0]?.base
  if (base === undefined) return err('MLS_ROOM_UNKNOWN', name)
  const change = changeOf(o, base)
  if (!change.ok) return change
  const handTo = o.handOver === undefined ? ok(undefined) : keyArgument(o.handOver)
  if (!handTo.ok) return handTo
  const recoveryKey = o.recoverWith === undefined ? ok(undefined) : readKey(o.recoverWith)
  if (!recoveryKey.ok) return recoveryKey
  let now: KnownRoom | undefined
  if (Object.keys(change.value).length > 0 || handTo.value !== undefined || recoveryKey.value !== undefined) {
    const amended = await at.vault.call('policy.amend', {
      room: name, change: change.value, ...(handTo.value === undefined ? {} : { handTo: handTo.value }), ...(recoveryKey.value === undefined ? {} : { recoveryKey: recoveryKey.value }),
    })
    if (!amended.ok) return amended
    now = amended.value.known
  }
  const unban = o.unban === undefined ? ok(undefined) : keyArgument(o.unban)
  if (!unban.ok) return unban
  const decisions = [...(o.lock === true ? [{ act: 'lock' } as const] : []), ...(o.unlock === true ? [{ act: 'unlock' } as const] : []), ...(unban.value === undefined ? [] : [{ act: 'unban', keyId: unban.value } as const])]
  for (const decision of decisions) {
    const decided = await at.vault.call('policy.decide', { room: name, decision })
    if (!decided.ok) return decided
    now = decided.value.known
  }
  if (now === undefined) return err('MLS_NOTHING_TO_DECIDE', 'name what is to change; "stc room edit --help" lists it')
  return publish(at, now)
}

function changeOf(o: EditOptions, base: BasePolicy): Result<PolicyChange> {
  const [owners, hosts] = [keyArguments(o.coOwner), keyArguments(o.host)]
  if (!owners.ok) return owners
  if (!hosts.ok) return hosts
  const recovery = typeof o.recovery !== 'string' ? ok(undefined) : recoveryId(o.recovery)
  if (!recovery.ok) return recovery
  return ok({
    ...(owners.value.length === 0 ? {} : { owners: [...base.owners, ...owners.value.filter((k) => !base.owners.includes(k))] }),
    ...(hosts.value.length === 0 ? {} : { hosts: [...base.hosts, ...hosts.value.filter((k) => !base.hosts.includes(k))] }),
    ...(o.admitAll === true ? { admit: 'anchors' as const } : o.admit.length === 0 ? {} : { admit: o.admit }),
    ...(recovery.value !== undefined ? { recovery: recovery.value } : o.recovery === false ? { recovery: null } : {}),
    ...(o.size === undefined ? {} : { maximumMembers: o.size }), ...(o.lobby === undefined ? {} : { lobby: o.lobby === 'on' }), ...(o.journal === undefined ? {} : { journal: o.journal === 'on' }),
    ...(o.gateways === undefined ? {} : { gatewaysAllowed: o.gateways === 'on' }),
    ...(o.protection === undefined ? {} : { minimumKeyProtection: o.protection }),
  })
}

/** Kept here first: without the server it is handed over by the next call into the room. */
async function publish(at: AtHand, known: KnownRoom): Promise<Result<undefined>> {
  const saved = await at.memory.save(at.vault)
  if (!saved.ok) return saved
  for (const line of linesOf(known)) say(line)
  const kept = await deposit(at, known.base.room)
  if (!kept.ok) complain(`stc: signed and kept here, but not handed to the server: ${coded(kept.fault)}. It gets it when you enter the room.`)
  return ok(undefined)
}

async function show(at: AtHand, name: string | undefined, json: boolean): Promise<Result<undefined>> {
  if (name !== undefined) {
    const fresh = await freshen(at, name)
    if (!fresh.ok) complain(`stc: what is known here; the server could not add to it: ${coded(fresh.fault)}`)
  }
  const known = await at.vault.call('policy.known', name === undefined ? {} : { room: name })
  if (!known.ok) return known
  const rooms = known.value.rooms.filter((r) => r.base.standing)
  if (rooms.length === 0 && name !== undefined) return err('MLS_ROOM_UNKNOWN', name)
  if (rooms.length === 0) say('No standing room is known here.')
  for (const r of rooms) {
    if (json) say(JSON.stringify({ ...r.base, state: r.state, policyBy: r.policyBy, stateBy: r.stateBy }))
    else for (const line of linesOf(r)) say(line)
  }
  return ok(undefined)
}

function linesOf({ base, state }: KnownRoom): string[] {
  const keys = (of: readonly string[]): string => (of.length === 0 ? 'nobody' : of.join(', '))
  return [
    `${base.room}, version ${base.version}.${state.version}: ${base.suite}, ${base.codec}, forwarding ${base.forwarding}, at most ${base.maximumMembers} members`,
    `  owners     ${keys(base.owners)}`, `  recovery   ${base.recovery ?? 'none: a stolen owner\'s key cannot be replaced without a co-owner'}`, `  hosts      ${keys(base.hosts)}`,
    `  may join   ${base.admit === 'anchors' ? 'everybody with a certificate that the members trust' : base.admit.join(', ')}${base.lobby ? ', let in one by one from the lobby' : ''}`,
    `  journal    ${base.journal ? 'members keep one' : 'none is kept'}`,
    `  keys       ${base.minimumKeyProtection} at least; gateways ${base.gatewaysAllowed ? 'ALLOWED: telephone callers who hold no keys' : 'not allowed'}`,
    `  now        ${state.locked ? 'locked' : 'not locked'}; admitted ${keys(state.admitted)}; banned ${keys(state.banned)}`,
  ]
}
