/** The one way to the client: the socket at descriptor 3, or standard input and output where only these go into an enclave. */
import { read, write } from 'node:fs'
import { Socket } from 'node:net'

export interface Channel {
  write(octets: Uint8Array): void
  /** Octets that wait. */
  readonly waiting: number
}

export interface ChannelEvents {
  data(octets: Uint8Array): void
  end(): void
}

const SOCKET_FD = 3
const INPUT_FD = 0
const OUTPUT_FD = 1
const CHUNK = 256 * 1024

export function openSocket(events: ChannelEvents): Channel {
  const socket = new Socket({ fd: SOCKET_FD, readable: true, writable: true })
  socket.on('data', (octets: Buffer) => events.data(octets))
  socket.on('error', () => events.end())
  socket.on('close', () => events.end())
  return {
    write: (octets) => void (socket.writable && socket.write(octets)),
    get waiting() {
      return socket.writableLength
    },
  }
}

/** Read and written by threads of the pool: Gramine's console is a character device, which no event loop takes. */
export function openStandard(events: ChannelEvents): Channel {
  const room = new Uint8Array(CHUNK)
  const listen = (): void => read(INPUT_FD, room, 0, room.length, null, (e, n) => {
    if (e !== null || n === 0) return events.end()
    events.data(room.slice(0, n))
    listen()
  })
  listen()
  const queue: Uint8Array[] = []
  let [waiting, writing] = [0, false]
  const next = (): void => {
    const octets = queue[0]
    if (octets === undefined || writing) return
    writing = true
    write(OUTPUT_FD, octets, 0, octets.length, null, (e, n) => {
      writing = false
      if (e !== null) return events.end()
      waiting -= n
      if (n === octets.length) queue.shift()
      else queue[0] = octets.subarray(n)
      next()
    })
  }
  return {
    write: (octets) => {
      queue.push(octets)
      waiting += octets.length
      next()
    },
    get waiting() {
      return waiting
    },
  }
}
