/** Datagrams over IPv4 from source port 0, as anybody on the way can make them: by a raw socket, which needs the right to it. */
import { systemCalls } from '../../src/net/native/system.ts'
import { Memory } from '../../src/ffi/memory.ts'
import { AF_INET, IOVEC, MMSGHDR, MSG_DONTWAIT, SOCK_CLOEXEC, SOCKADDR } from '../../src/net/native/layout.ts'
import type { AddressPort } from '../../src/net/address.ts'

const SOCK_RAW = 3
const IPPROTO_UDP = 17
const UDP_HEADER = 8
const ROOM = 2048

export interface PortZero {
  /** `to` is a dotted address. */
  send(data: Uint8Array, to: AddressPort): void
  close(): void
}

/** Undefined without the right to raw sockets, or without system calls. */
export function portZero(): PortZero | undefined {
  const found = systemCalls()
  if (!found.ok) return undefined
  const system = found.value
  const fd = system.socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP)
  if (fd < 0) return undefined
  const memory = new Memory(system.library, ROOM + 256)
  const { view, bytes } = memory
  const [nameAt, iovAt, messageAt] = [ROOM, ROOM + 32, ROOM + 64]
  return {
    send(data, to) {
      bytes.fill(0)
      view.setUint16(2, to.port)
      view.setUint16(4, UDP_HEADER + data.length)
      // A checksum of 0 is none (RFC 768).
      bytes.set(data, UDP_HEADER)
      view.setUint16(nameAt + SOCKADDR.family, AF_INET, true)
      bytes.set(to.address.split('.').map(Number), nameAt + SOCKADDR.address4)
      view.setBigUint64(iovAt + IOVEC.base, BigInt(memory.address(0, ROOM)), true)
      view.setUint32(iovAt + IOVEC.length, UDP_HEADER + data.length, true)
      view.setBigUint64(messageAt + MMSGHDR.name, BigInt(memory.address(nameAt, SOCKADDR.octets4)), true)
      view.setUint32(messageAt + MMSGHDR.nameLength, SOCKADDR.octets4, true)
      view.setBigUint64(messageAt + MMSGHDR.iov, BigInt(memory.address(iovAt, IOVEC.octets)), true)
      view.setUint32(messageAt + MMSGHDR.iovLength, 1, true)
      if (system.sendmmsg(fd, memory.address(messageAt, MMSGHDR.octets), 1, MSG_DONTWAIT) !== 1) throw new Error(`not sent: ${system.library.errno()}`)
    },
    close: () => void system.close(fd),
  }
}
