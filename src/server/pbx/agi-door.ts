/** The port at which Asterisk asks (FastAGI): one short session per call. */
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { Fault, Result } from '../../base/result.ts'
import { makeFault } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import { listenTcp, type TcpEvents, type TcpServer, type TcpStream } from '../../net/tcp.ts'
import { agiCommand, type AgiIn, type AgiReply, type AgiRequest, AgiSession } from '../../protocol/asterisk/index.ts'

export interface AgiCall {
  readonly request: AgiRequest
  /** Fails when the caller has hung up, or Asterisk is gone. */
  ask(verb: string, ...parts: readonly string[]): Promise<Result<AgiReply>>
}

export interface AgiDoorOptions {
  readonly bind: AddressPort
  readonly scheduler: Scheduler
  /** The session ends when it resolves. */
  readonly handle: (call: AgiCall) => Promise<void>
  readonly onFault: (fault: Fault, remote: AddressPort) => void
}

const SESSIONS_LIMIT = 256

export const openAgiDoor = (o: AgiDoorOptions): Promise<Result<TcpServer>> => listenTcp(o.bind, SESSIONS_LIMIT, (socket) => serve(o, socket))

function serve(o: AgiDoorOptions, socket: TcpStream): TcpEvents {
  const session = new AgiSession()
  let answer: ((r: Result<AgiReply>) => void) | undefined
  let ended: Fault | undefined
  let cancel: Stop = () => {}
  const end = (fault: Fault): void => {
    if (ended !== undefined) return
    ended = fault
    cancel()
    socket.close()
    answer?.({ ok: false, fault })
    answer = undefined
  }
  const step = (input: AgiIn): void => {
    const { out, wakeAt } = session.step(input, o.scheduler.now())
    cancel()
    if (wakeAt !== undefined) cancel = o.scheduler.at(wakeAt, () => step({ kind: 'tick' }))
    for (const x of out) {
      if (x.kind === 'send') socket.send(x.bytes)
      else if (x.kind === 'request') void o.handle({ request: x.request, ask }).then(() => end(makeFault('PBX_GONE', 'by us')))
      else if (x.kind === 'reply') {
        const resolve = answer
        answer = undefined
        resolve?.({ ok: true, value: x.reply })
      } else {
        if (x.fault.code !== 'PBX_GONE') o.onFault(x.fault, socket.remote)
        end(x.fault)
      }
    }
  }
  const ask = (verb: string, ...parts: readonly string[]): Promise<Result<AgiReply>> => {
    const line = agiCommand(verb, ...parts)
    if (!line.ok) return Promise.resolve(line)
    if (ended !== undefined) return Promise.resolve({ ok: false, fault: ended })
    return new Promise((resolve) => {
      answer = resolve
      step({ kind: 'command', line: line.value })
    })
  }
  step({ kind: 'start' })
  return {
    bytes: (bytes) => {
      if (ended === undefined) step({ kind: 'bytes', bytes })
    },
    closed: () => end(makeFault('PBX_GONE')),
  }
}
