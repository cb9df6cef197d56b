/** Which file makes which commands of `stc`, in the order of the help. Loaded when asked for: the whole program takes a second of the processor to load, most commands a quarter of it. */
import type { Command } from 'commander'

export interface CommandPart {
  readonly names: readonly string[]
  readonly load: () => Promise<(program: Command) => void>
}

export const COMMANDS: readonly CommandPart[] = [
  { names: ['client', 'gateway'], load: async () => (await import('./client.ts')).registerClient },
  { names: ['setup'], load: async () => (await import('./setup.ts')).registerSetup },
  { names: ['call'], load: async () => (await import('./call.ts')).registerCall },
  { names: ['password'], load: async () => (await import('./password.ts')).registerPassword },
  { names: ['status', 'rooms', 'logs', 'trace'], load: async () => (await import('./status.ts')).registerStatus },
  { names: ['report'], load: async () => (await import('./report.ts')).registerReport },
  { names: ['host'], load: async () => (await import('./host.ts')).registerHost },
  { names: ['server'], load: async () => (await import('./server.ts')).registerServer },
  { names: ['room'], load: async () => (await import('./room.ts')).registerRoom },
  { names: ['block'], load: async () => (await import('./block.ts')).registerBlock },
  { names: ['ca'], load: async () => (await import('./ca.ts')).registerCa },
  { names: ['invite'], load: async () => (await import('./invite.ts')).registerInvite },
  { names: ['join'], load: async () => (await import('./join.ts')).registerJoin },
  { names: ['identity'], load: async () => (await import('./identity.ts')).registerIdentity },
  { names: ['doctor'], load: loadDoctor },
  { names: ['vault'], load: async () => (await import('./vault.ts')).registerVault },
  { names: ['key'], load: async () => (await import('./key.ts')).registerKey },
  { names: ['attestation'], load: async () => (await import('./attestation.ts')).registerAttestation },
  { names: ['journal'], load: async () => (await import('./journal.ts')).registerJournal },
  { names: ['backup', 'restore'], load: async () => (await import('./backup.ts')).registerBackup },
  { names: ['demo'], load: async () => (await import('./demo.ts')).registerDemo },
  { names: ['explain'], load: async () => (await import('./explain.ts')).registerExplain },
  { names: ['completion'], load: async () => (await import('./completion.ts')).registerCompletion },
]

async function loadDoctor(): Promise<(program: Command) => void> {
  const [{ registerDoctor }, { registerDoctorPki }, { registerDoctorPbx }] = await Promise.all([import('./doctor.ts'), import('./doctor-pki.ts'), import('./doctor-pbx.ts')])
  return (program) => {
    const doctor = registerDoctor(program)
    registerDoctorPki(doctor)
    registerDoctorPbx(doctor)
  }
}
