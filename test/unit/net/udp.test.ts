import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AddressPort } from '../../../src/net/address.ts'
import { type BuildingSocket, buildingSocket, sendFrom } from '../../../src/net/udp.ts'

const to: AddressPort = { address: '127.0.0.1', port: 4000 }

test('what was built in the socket’s slot is sent from there, anything else as it is', () => {
  const sent: string[] = []
  const slot = new Uint8Array(1600)
  const socket: BuildingSocket = {
    local: to, slot: () => slot, onMessage() {}, close() {},
    sendSlot: (length) => void sent.push(`slot ${[...slot.subarray(0, length)].join()}`),
    send: (data) => void sent.push(`copy ${[...data].join()}`),
  }
  slot.set([1, 2, 3])
  sendFrom(socket, slot, 2, to)
  sendFrom(socket, Uint8Array.of(4, 5, 6), 2, to)
  assert.deepEqual(sent, ['slot 1,2', 'copy 4,5'])
})

test('over a socket that builds nothing it is the same', () => {
  const sent: number[][] = []
  const socket = buildingSocket({ local: to, onMessage() {}, close() {}, send: (data) => void sent.push([...data]) })
  socket.slot().set([7, 8, 9])
  sendFrom(socket, socket.slot(), 3, to)
  sendFrom(socket, Uint8Array.of(4, 5, 6), 1, to)
  assert.deepEqual(sent, [[7, 8, 9], [4]])
})
