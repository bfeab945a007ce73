import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatSize } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `backup DIRECTORY`: written by the server, so the directory must be one that its user may make. */
export function register(program: Command): void {
  addVerb(
    program,
    'backup <directory>',
    'copy the whole store while it is in use; the copy is a data directory itself',
  ).action(inSession(backup))
}

async function backup(session: Session, directory: string): Promise<void> {
  const done = await session.call('backup', { target: resolve(directory) })
  session.show(
    done,
    `The store is copied to ${done.target}, ${formatSize(done.octets)}. It is a data directory itself, with secrets and DKIM keys: keep it safe.\n`,
  )
}
