/** The vault's side of the socket: octets in, checked, to the control thread and the frames; what they answer, out. Never throws. */
import { serialize } from 'node:v8'
import { utf8 } from '../../../base/bytes.ts'
import { type Fault, type Result, err, makeFault } from '../../../base/result.ts'
import { type CborValue, decodeCbor } from '../../../protocol/wire/cbor.ts'
import { FROM_VAULT, frame, numbered, TO_VAULT, Unframer, VAULT_LIMITS, type VaultReport } from '../../api/border.ts'
import { CALL_NAMES, CALL_SHAPES, OPTIONS_SHAPE, PIPE_SHAPE, type ProcessOptions, SEAL_SHAPE, type Sealing } from '../../api/call-shapes.ts'
import { BAD, type Shape } from '../../api/shapes.ts'
import type { FromControl, ToControl } from '../../api/worker-messages.ts'

export interface BorderPorts {
  /** Once: the control part is to be made from this. */
  open(options: ProcessOptions): void
  /** The text of the file, sealed for this enclave. */
  seal(sealing: Sealing): Result<string>
  control(m: ToControl): void
  frames(packed: Uint8Array): Uint8Array
  send(octets: Uint8Array): void
  /** The host wants the end. */
  close(): void
}

/** Calls that may wait for their answer at one time. */
const CALLS_WAITING = 1024

export class Border {
  readonly #ports: BorderPorts
  readonly #unframer: Unframer
  #opened = false
  #ready = false
  #waiting = 0
  /** Messages that were none of those documented. */
  refused = 0

  constructor(ports: BorderPorts) {
    this.#ports = ports
    this.#unframer = new Unframer(VAULT_LIMITS, (kind, body) => this.#take(kind, body))
  }

  /** Octets from the host, in whatever pieces. */
  push(octets: Uint8Array): void {
    this.#unframer.push(octets)
  }
  started(report: VaultReport): void {
    this.#ports.send(frame(FROM_VAULT.started, serialize(report)))
  }
  ready(fault: Fault | undefined): void {
    this.#ready = fault === undefined
    this.#ports.send(frame(FROM_VAULT.ready, serialize(fault)))
  }
  /** What the control part says, for the host. */
  tell(m: FromControl): void {
    const { send } = this.#ports
    switch (m.op) {
      case 'ready':
        return this.ready(m.fault)
      case 'answer':
        this.#waiting--
        return send(numbered(FROM_VAULT.answer, m.id, serialize(m.result)))
      case 'pipe.secured':
        return send(numbered(FROM_VAULT.pipeSecured, m.pipe, serialize(m.result)))
      case 'pipe.cipher':
        return send(numbered(FROM_VAULT.pipeCipher, m.pipe, m.bytes))
      case 'pipe.plain':
        return send(numbered(FROM_VAULT.pipePlain, m.pipe, m.bytes))
      case 'pipe.closed':
        return send(numbered(FROM_VAULT.pipeClosed, m.pipe, utf8(m.reason)))
    }
  }

  #take(kind: number, body: Uint8Array): void {
    if (kind === TO_VAULT.close) return this.#ports.close()
    if (kind === TO_VAULT.open) return this.#open(body)
    if (kind === TO_VAULT.seal) return this.#seal(body)
    if (body.length < 4) return void this.refused++
    const id = new DataView(body.buffer, body.byteOffset, 4).getUint32(0)
    const rest = body.subarray(4)
    if (kind === TO_VAULT.call) return this.#call(id, rest)
    if (kind === TO_VAULT.frames) return this.#ports.send(numbered(FROM_VAULT.frames, id, this.#ports.frames(rest)))
    if (!this.#ready) return void this.refused++
    this.#pipe(kind, id, rest)
  }

  #open(body: Uint8Array): void {
    const options = shaped(OPTIONS_SHAPE, body)
    if (this.#opened || options === BAD) {
      this.refused++
      // Whoever opens waits for this answer.
      return this.#opened ? undefined : this.ready(makeFault('VAULT_CALL', 'open'))
    }
    this.#opened = true
    this.#ports.open(options)
  }

  #seal(body: Uint8Array): void {
    const sealing = shaped(SEAL_SHAPE, body)
    if (this.#opened || sealing === BAD) this.refused++
    // Whoever asks waits for this answer.
    this.#ports.send(frame(FROM_VAULT.sealed, serialize(this.#opened || sealing === BAD ? err('VAULT_CALL', 'seal') : this.#ports.seal(sealing))))
  }

  #call(id: number, body: Uint8Array): void {
    const name = CALL_NAMES[body[0] ?? 255]
    const input = name === undefined ? BAD : shaped(CALL_SHAPES[name] as Shape<unknown>, body.subarray(1))
    const refuse = (why: Result<never>): void => {
      this.refused++
      this.#ports.send(numbered(FROM_VAULT.answer, id, serialize(why)))
    }
    if (name === undefined || input === BAD) return refuse(err('VAULT_CALL', name ?? 'of no name'))
    if (!this.#ready) return refuse(err('VAULT_CALL', `${name} before the vault is open`))
    if (this.#waiting >= CALLS_WAITING) return refuse(err('VAULT_BUSY', `${CALLS_WAITING} calls wait`))
    this.#waiting++
    this.#ports.control({ op: 'call', id, name, input })
  }

  #pipe(kind: number, pipe: number, body: Uint8Array): void {
    const { control } = this.#ports
    if (kind === TO_VAULT.pipeFeed) return control({ op: 'pipe.feed', pipe, bytes: body.slice() })
    if (kind === TO_VAULT.pipeWrite) return control({ op: 'pipe.write', pipe, bytes: body.slice() })
    if (kind === TO_VAULT.pipeEnd && body.length === 0) return control({ op: 'pipe.end', pipe })
    const opening = kind === TO_VAULT.pipeOpen ? shaped(PIPE_SHAPE, body) : BAD
    if (opening === BAD) return void this.refused++
    control({ op: 'pipe.open', pipe, ...opening })
  }
}

function shaped<T>(shape: Shape<T>, octets: Uint8Array): T | typeof BAD {
  const value = decodeCbor(octets)
  return value.ok ? shape(value.value as CborValue) : BAD
}
