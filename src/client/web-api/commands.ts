/** What the page may ask for: one schema and one function for each command. */
import { z } from 'zod'
import { err, ok, type Result } from '../../base/result.ts'
import { isEmergencyNumber } from '../../model/emergency.ts'
import type { PageCommands } from '../../model/page.ts'
import type { RoomCommand } from '../call.ts'
import type { RunningCall } from '../calls.ts'
import type { Hub } from './hub.ts'

/** Answers a step of the set-up. */
export interface SetupPort {
  server(address: string): Promise<Result<void>>
  identity(files: readonly Uint8Array[], passphrase: string): Promise<Result<void>>
  /** From waiting for whoever invited, to another link or address. */
  back(): Promise<Result<void>>
  /** Of a key that lies locked on the disk. */
  unlock(passphrase: string): Promise<Result<void>>
}

export interface CommandContext {
  readonly hub: Hub
  /** This window has the sound. */
  audio: boolean
  meters: boolean
  readonly setup: SetupPort | undefined
  /** Takes the sound over from whichever window has it. */
  takeAudio(on: boolean): void
  /** Any window wants levels. */
  metersChanged(): void
}

const FRAMES_PER_SECOND = 50
const MOST_TAPPED_S = 10
/** Base64 of 24 kB: certificates and keys are smaller. */
const FILE_LIMIT = 32 * 1024

const call = z.number().int().min(0)
const keyId = z.string().regex(/^[0-9a-f]{64}$/)
const address = z.string().min(3).max(256)
const ring = z.string().regex(/^[0-9a-f]{32}$/)

type Run<K extends keyof PageCommands> = (c: CommandContext, a: PageCommands[K]) => Result<void> | Promise<Result<void>>
interface Command<K extends keyof PageCommands> {
  readonly schema: z.ZodType<PageCommands[K]>
  readonly run: Run<K>
}
const DONE = ok(undefined)

const table: { readonly [K in keyof PageCommands]: Command<K> } = {
  dial: {
    schema: z.strictObject({ number: z.string().min(1).max(128), typed: z.string().max(128).exactOptional() }),
    run: ({ hub, takeAudio }, { number, typed }) => {
      // Before a prefix makes a room of it, in which whoever needs help would be alone.
      if (typed !== undefined && typed !== number && isEmergencyNumber(hub.emergencyNumbers, typed)) return err('CLIENT_EMERGENCY', typed)
      if (hub.browser === undefined) return err('PAGE_NOT_SET_UP')
      takeAudio(true)
      hub.browser.dial(number)
      return DONE
    },
  },
  hangup: { schema: z.strictObject({}), run: ({ hub }) => done(() => hub.browser?.hangup()) },
  digit: { schema: z.strictObject({ digit: z.string().regex(/^[0-9*#A-D]$/) }), run: ({ hub }, { digit }) => done(() => hub.browser?.digit(digit)) },
  'line-answer': {
    schema: z.strictObject({ ring }),
    run: ({ hub, takeAudio }, { ring: id }) => {
      const found = hub.line.ring(id)
      if (!found.ok) return found
      takeAudio(true)
      hub.browser?.dial(found.value.number, id)
      return DONE
    },
  },
  'line-refuse': { schema: z.strictObject({ ring }), run: ({ hub }, { ring: id }) => hub.line.refuse(id) },
  hold: { schema: z.strictObject({ on: z.boolean() }), run: ({ hub }, { on }) => hub.line.hold(on) },
  transfer: { schema: z.strictObject({ number: z.string().regex(/^[0-9a-z*#+._-]{1,64}$/i) }), run: ({ hub }, { number }) => hub.line.transfer(number) },
  audio: { schema: z.strictObject({ on: z.boolean() }), run: ({ takeAudio }, { on }) => done(() => takeAudio(on)) },
  mute: {
    schema: z.strictObject({ call, muted: z.boolean() }),
    run: (c, a) => withCall(c, a.call, (r) => {
      // Of a telephone call that something else shows, what the page's phone says as well.
      for (const x of new Set([c.hub.line.callOf(r) ?? r, r])) if (x.muted !== a.muted) x.toggleMute()
      c.hub.changed(a.call)
    }),
  },
  leave: { schema: z.strictObject({ call }), run: (c, a) => withCall(c, a.call, (r) => (c.hub.line.callOf(r) ?? r).input({ kind: 'leave' })) },
  volume: {
    schema: z.strictObject({ call, keyId, gain: z.number().min(0).max(4) }),
    run: ({ hub }, a) => {
      const shown = hub.call(a.call)
      if (shown === undefined) return err('PAGE_NO_CALL')
      shown.volumes.set(a.keyId, a.gain, shown.call.roster)
      hub.changed(a.call)
      return DONE
    },
  },
  meters: {
    schema: z.strictObject({ on: z.boolean() }),
    run: (c, { on }) => done(() => {
      c.meters = on
      c.metersChanged()
    }),
  },
  tap: {
    schema: z.strictObject({ call, seconds: z.number().min(1).max(MOST_TAPPED_S) }),
    run: (c, a) => withCall(c, a.call, (r) => c.hub.media({ op: 'conference.tap', conference: r.conference, frames: Math.round(a.seconds * FRAMES_PER_SECOND) })),
  },
  remove: { schema: z.strictObject({ call, keyId, ban: z.boolean() }), run: (c, a) => inRoom(c, a.call, { do: 'remove', keyId: a.keyId, ban: a.ban }) },
  act: {
    schema: z.strictObject({ call, act: z.enum(['mute', 'unmute', 'kick']), member: z.number().int().min(0) }),
    run: (c, a) => withCall(c, a.call, (r) => r.input({ kind: 'act', act: a.act, leaf: a.member })),
  },
  lock: { schema: z.strictObject({ call, locked: z.boolean() }), run: (c, a) => inRoom(c, a.call, { do: 'decide', decision: { act: a.locked ? 'lock' : 'unlock' } }) },
  admit: { schema: z.strictObject({ call, keyId }), run: (c, a) => inRoom(c, a.call, { do: 'decide', decision: { act: 'admit', entry: a.keyId } }) },
  flag: { schema: z.strictObject({ call, text: z.string().min(1).max(200) }), run: (c, a) => inRoom(c, a.call, { do: 'flag', text: a.text }) },
  'call-person': {
    schema: z.strictObject({ to: address, name: z.string().max(256) }),
    run: ({ hub, takeAudio }, { to }) => {
      if (hub.browser === undefined || hub.client === undefined) return err('PAGE_NOT_SET_UP')
      takeAudio(true)
      const room = `call-${hub.random()}`
      hub.people.begin(to, room)
      hub.browser.dial(`${hub.roomPrefix}${room}`)
      return DONE
    },
  },
  'ask-in': {
    schema: z.strictObject({ call, to: address, name: z.string().max(256) }),
    run: async ({ hub }, { call: id, to }) => {
      const running = hub.call(id)?.call
      const asked = running === undefined ? err('PAGE_NO_CALL') : await (hub.people.client?.rings.call(to, running.name) ?? err('PAGE_NOT_SET_UP'))
      return asked.ok ? DONE : asked
    },
  },
  answer: {
    schema: z.strictObject({ ring }),
    run: ({ hub, takeAudio }, { ring: id }) => {
      const room = hub.people.answer(id)
      if (!room.ok) return room
      takeAudio(true)
      hub.browser?.dial(`${hub.roomPrefix}${room.value}`)
      return DONE
    },
  },
  refuse: {
    schema: z.strictObject({ ring }),
    run: ({ hub }, { ring: id }) => {
      const refused = hub.people.client?.rings.refuse(id) ?? err('RING_OVER')
      return refused.ok ? DONE : refused
    },
  },
  pairwise: {
    schema: z.strictObject({ keyId }),
    run: ({ hub }, a) => {
      const code = hub.people.memory?.pairwise(a.keyId)
      if (code === undefined) return err('PAGE_NOBODY')
      hub.tell({ k: 'pairwise', keyId: a.keyId, code })
      return DONE
    },
  },
  compared: {
    schema: z.strictObject({ keyId }),
    run: ({ hub }, a) => {
      const acquaintance = hub.people.memory?.compared(a.keyId)
      if (acquaintance === undefined) return err('PAGE_NOBODY')
      for (const c of hub.client?.calls ?? []) for (const m of c.roster.members) if (m.identity.keyId === a.keyId && !m.self) c.tell({ kind: 'acquainted', leaf: m.leaf, acquaintance })
      hub.people.peopleChanged()
      return DONE
    },
  },
  block: {
    schema: z.strictObject({ keyId, blocked: z.boolean() }),
    run: ({ hub }, a) => {
      const blocked = hub.block(a.keyId, a.blocked)
      // Where our word counts, everybody is told, and the person is taken out.
      if (blocked.ok && a.blocked) for (const c of hub.client?.calls ?? []) if (c.roster.members.some((m) => m.self && m.role !== undefined && m.role !== 'host') && c.roster.members.some((m) => m.identity.keyId === a.keyId)) c.input({ kind: 'command', command: { do: 'block', keyId: a.keyId, reason: '' } })
      return blocked
    },
  },
  'forget-calls': { schema: z.strictObject({}), run: ({ hub }) => done(() => hub.people.forget()) },
  accept: {
    schema: z.strictObject({ call, state: z.enum(['asking', 'doubt', 'lost']) }),
    run: (c, a) => {
      // By the time that a click arrives the keys of somebody else may stand: that is another question.
      const running = c.hub.call(a.call)?.call
      if (running !== undefined && running.roster.sealedCall?.state !== a.state) return err('PAGE_CALL_CHANGED')
      return withCall(c, a.call, (r) => r.input({ kind: 'accept' }))
    },
  },
  'same-words': {
    schema: z.strictObject({ call, words: z.array(z.string().max(64)).min(1).max(8) }),
    run: (c, a) => {
      const running = c.hub.call(a.call)?.call
      const shown = running?.roster.sealedCall
      // Other keys have other words; a room has none.
      if (running !== undefined && (shown?.memory !== 'new' || shown.words.join(' ') !== a.words.join(' '))) return err('PAGE_CALL_CHANGED')
      return withCall(c, a.call, (r) => r.input({ kind: 'compared', words: a.words }))
    },
  },
  'setup.server': { schema: z.strictObject({ server: z.string().min(1).max(512) }), run: ({ setup }, a) => setup?.server(a.server) ?? err('PAGE_SET_UP') },
  'setup.back': { schema: z.strictObject({}), run: ({ setup }) => setup?.back() ?? err('PAGE_SET_UP') },
  'setup.identity': {
    schema: z.strictObject({ files: z.array(z.base64().max(FILE_LIMIT)).min(1).max(8), passphrase: z.string().max(1024) }),
    run: ({ setup }, { files, passphrase }) => setup?.identity(files.map((f) => new Uint8Array(Buffer.from(f, 'base64'))), passphrase) ?? err('PAGE_SET_UP'),
  },
  'setup.passphrase': { schema: z.strictObject({ passphrase: z.string().min(1).max(1024) }), run: ({ setup }, a) => setup?.unlock(a.passphrase) ?? err('PAGE_SET_UP') },
}

/** One text message of a window. The number that it gave goes back with the answer; undefined: there was none to read. */
export async function obey(context: CommandContext, text: string): Promise<{ readonly ref: number; readonly result: Result<void> } | undefined> {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null || !('ref' in message) || !Number.isSafeInteger(message.ref)) return undefined
  const { ref, c, ...args } = message as { ref: number; c?: unknown }
  if (typeof c !== 'string' || !Object.hasOwn(table, c)) return { ref, result: err('PAGE_COMMAND', typeof c === 'string' ? c.slice(0, 64) : undefined) }
  const command = table[c as keyof PageCommands] as Command<keyof PageCommands>
  const checked = command.schema.safeParse(args)
  return { ref, result: checked.success ? await command.run(context, checked.data as never) : err('PAGE_COMMAND', c) }
}

/** What becomes of it is told by the room's own events. */
const inRoom = (c: CommandContext, id: number, command: RoomCommand): Result<void> => withCall(c, id, (r) => r.input({ kind: 'command', command }))

function withCall({ hub }: CommandContext, id: number, run: (call: RunningCall) => void): Result<void> {
  const running = hub.call(id)?.call
  if (running === undefined) return err('PAGE_NO_CALL')
  run(running)
  return DONE
}

function done(run: () => void): Result<void> {
  run()
  return DONE
}
