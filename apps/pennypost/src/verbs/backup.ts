import { resolve } from 'node:path'
import type { Command } from 'commander'
import { faultLines } from './check.ts'
import type { Session } from './session.ts'
import { formatSize } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `backup DIRECTORY`: written by the server, so the directory must be one that its user may make. */
export function register(program: Command): void {
  addVerb(program, 'backup <directory>', 'copy the whole store while it is in use; the copy is a data directory itself')
    .option('--verify', 'read the copy to its end and report what does not fit together')
    .action(inSession(backup))
}

async function backup(session: Session, directory: string, { verify = false }: { verify?: boolean }): Promise<void> {
  const done = await session.call('backup', { target: resolve(directory), verify })
  const faults = done.faults.length > 0 ? faultLines(done.faults) : ''
  const checked = verify && faults === '' ? ' All of it was read, and all is well.' : ''
  const text = `The store is copied to ${done.target}, ${formatSize(done.octets)}.${checked}`
  const kind = 'It is a data directory itself, with secrets and DKIM keys: keep it safe.'
  session.show(done, `${faults}${text} ${kind}\nNot in it: pennypost.toml and the files that it names.\n`)
  if (faults !== '') process.exitCode = 1
}
