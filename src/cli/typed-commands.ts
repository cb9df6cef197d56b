/** Commands that a member types while the client runs: read line by line, carried out on the call that there is. */
import { createInterface } from 'node:readline'
import type { Client } from '../client/client.ts'
import type { RunningCall } from '../client/calls.ts'
import { COMMANDS_HELP, parseTyped } from '../client/room-commands.ts'
import { showRoster, type Terminal } from '../client/terminal.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { realScheduler } from '../net/scheduler.ts'
import { inSentence } from '../model/identity.ts'
import { pairwiseCode } from '../protocol/x509/pairwise-code.ts'
import type { ClientMemory } from './room-memory.ts'

export interface TypedOptions {
  readonly client: Client
  readonly memory: ClientMemory
  readonly crypto: CryptoPort
  readonly terminal: Terminal
  readonly input?: NodeJS.ReadableStream
}

/** Ends with the input, or when it is disposed. A service has no input. */
export function takeTyped(o: TypedOptions): Disposable {
  const lines = createInterface({ input: o.input ?? process.stdin, terminal: false })
  lines.on('line', (line) => takeLine(o, line))
  lines.on('error', () => lines.close())
  return { [Symbol.dispose]: () => lines.close() }
}

/** One line of what was typed. */
export function takeLine(o: TypedOptions, line: string): void {
  const call = o.client.calls.at(-1)
  if (line.trim() === '') return
  if (call === undefined) return o.terminal.write(line.trim() === '/help' ? COMMANDS_HELP.join('\n') : '  no call: dial a room first')
  const typed = parseTyped(line, call.roster)
  if (typed === undefined) return
  switch (typed.kind) {
    case 'command': return call.input({ kind: 'command', command: typed.command })
    case 'act': return call.input(typed)
    case 'mute': return call.toggleMute()
    case 'who': return showRoster(o.terminal, call.roster)
    case 'help': return COMMANDS_HELP.forEach((h) => void o.terminal.write(`  ${h}`))
    case 'wrong': return o.terminal.write(`  ${typed.text}`)
    case 'code': return showCodes(o, call, typed.keyId)
    case 'words': {
      const { memory, words, number } = call.roster.sealedCall ?? {}
      if (memory !== 'new' || words === undefined) return o.terminal.write(memory === undefined ? '  there is no key to remember now' : '  this key is remembered already')
      call.input({ kind: 'compared', words })
      return o.terminal.write(`  compared: the key is remembered for ${number}`)
    }
    case 'compared': {
      const acquaintance = o.memory.peers.compared(typed.keyId, realScheduler(false).unix())
      const m = call.roster.members.find((x) => x.identity.keyId === typed.keyId)
      if (acquaintance === undefined || m === undefined) return o.terminal.write('  nobody of this key was met')
      o.terminal.write(`  ${inSentence(m.identity)}: compared, and remembered`)
      return call.tell({ kind: 'acquainted', leaf: m.leaf, acquaintance })
    }
  }
}

function showCodes(o: TypedOptions, call: RunningCall, keyId: string | undefined): void {
  const self = call.roster.members.find((m) => m.self)
  if (self === undefined) return o.terminal.write('  not in the room yet')
  for (const m of call.roster.members) {
    if (m.self || (keyId !== undefined && m.identity.keyId !== keyId)) continue
    o.terminal.write(`  ${inSentence(m.identity)}: ${pairwiseCode(o.crypto, self.identity.keyId, m.identity.keyId)}${m.acquaintance?.compared === true ? '  (compared)' : ''}`)
  }
}
