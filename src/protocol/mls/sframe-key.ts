/** The secret of an epoch's media keys: MLS-Exporter("SFrame 1.0 Base Key", "", Nk) (RFC 9605 §5.2). */
import { mlsExporter } from 'ts-mls/keySchedule.js'
import type { Snapshot } from './snapshot.ts'

/** `length`: key length of the SFrame suite, octets. */
export const sframeBaseKey = (s: Snapshot, length: number): Promise<Uint8Array> =>
  mlsExporter(s.state.keySchedule.exporterSecret, 'SFrame 1.0 Base Key', new Uint8Array(0), length, s.suite.impl)
