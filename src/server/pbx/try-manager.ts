/** Logs in at Asterisk's manager interface once, as the server would, and says how it went. */
import { instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { Fault } from '../../base/result.ts'
import { showAddress } from '../../net/address.ts'
import type { TcpEvents, TcpStream } from '../../net/tcp.ts'
import type { AmiOptions } from '../../protocol/asterisk/index.ts'
import { AmiLink } from './ami-link.ts'
import type { PbxConfig } from './config.ts'
import type { Finding } from './examine.ts'
import { readSecret } from './secret-file.ts'

const LIMIT_MS = 6000

export interface TryOptions extends Pick<AmiOptions, 'crypto'> {
  readonly config: Pick<PbxConfig, 'ami'>
  readonly scheduler: Scheduler
  readonly connect: (events: TcpEvents) => TcpStream
}

export async function tryManager({ config, crypto, scheduler, connect }: TryOptions): Promise<Finding> {
  const { ami } = config
  const at = showAddress(ami)
  const wrong = (fault: Fault): Finding => ({ level: 'wrong', text: `the manager interface at ${at}: ${fault.message} [${fault.code}]` })
  const secret = readSecret(ami.secretFile)
  if (!secret.ok) return wrong(secret.fault)
  let done: (f: Finding) => void = () => {}
  const finding = new Promise<Finding>((resolve) => {
    done = resolve
  })
  const link: AmiLink = new AmiLink({
    user: ami.user, secret: secret.value, crypto, scheduler, connect,
    onUp: () => void link.action('ConfbridgeListRooms').then((r) => {
      const none = !r.ok && /no active conferences/i.test(r.fault.message)
      done(r.ok || none ? { level: 'good', text: `the manager interface at ${at} takes our name and secret, and lists conferences` } : wrong(r.fault))
    }),
    onDown: (fault) => done(wrong(fault)),
    onEvent: () => {},
  })
  const cancel = scheduler.at(instant(scheduler.now() + LIMIT_MS), () => done({ level: 'wrong', text: `the manager interface at ${at} does not answer`, todo: 'Check that Asterisk runs, and the port.' }))
  link.start()
  const result = await finding
  cancel()
  link.stop()
  secret.value[Symbol.dispose]()
  return result
}
