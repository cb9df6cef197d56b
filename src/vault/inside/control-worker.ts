/** Entry of the control thread where the vault is in the client's process. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ControlData, runControl } from './control-thread.ts'

if (parentPort !== null) runControl(parentPort, workerData as ControlData)
