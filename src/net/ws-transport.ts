/** A WebSocket as a message transport: binary messages only. */
import { WebSocket } from 'ws'
import type { MessageTransport } from '../base/message-transport.ts'

const UNSUPPORTED_DATA = 1003
/** A side that does not answer our close in time is cut off. */
const CLOSE_MS = 2000
const EARLY_LIMIT = 64

export function wsTransport(ws: WebSocket): MessageTransport {
  const early: Uint8Array[] = []
  let onMessage = (octets: Uint8Array): void => void (early.length < EARLY_LIMIT ? early.push(octets) : ws.terminate())
  let onClose: ((code: number, reason: string) => void) | undefined
  let ended: [number, string] | undefined
  let complaint = ''
  const close = (code = 1000, reason = ''): void => {
    if (ws.readyState === WebSocket.CLOSED) return
    ws.close(code, reason.slice(0, 120))
    setTimeout(() => ws.terminate(), CLOSE_MS).unref()
  }
  ws.on('message', (data: Buffer, binary: boolean) => {
    if (binary) onMessage(new Uint8Array(data.buffer, data.byteOffset, data.length))
    else close(UNSUPPORTED_DATA, 'binary messages only')
  })
  // What is wrong is told with the close that follows: too long, bad frames, connection reset.
  ws.on('error', (e: Error) => {
    complaint = e.message
  })
  ws.once('close', (code: number, reason: Buffer) => {
    ended = [code, complaint === '' ? reason.toString('utf8') : complaint]
    onClose?.(...ended)
  })
  return {
    send: (octets) => {
      if (ws.readyState === WebSocket.OPEN) ws.send(octets)
    },
    get waiting() {
      return ws.bufferedAmount
    },
    onMessage: (listener) => {
      onMessage = listener
      for (const octets of early.splice(0)) listener(octets)
    },
    onClose: (listener) => {
      onClose = listener
      if (ended !== undefined) listener(...ended)
    },
    close,
  }
}
