import { dirname } from 'node:path'
import type { AdminRefusal } from './admin-error.ts'

/** What the system says of a file, as people say it; for verbs and operations alike. */
export interface SystemFault {
  reason: AdminRefusal
  text: string
  advice: string
}

const rights = 'See its owner and mode, and as which user the server and this verb run.'

const texts: Readonly<Record<string, (path: string) => SystemFault>> = {
  EISDIR: (path) => ({ reason: 'failed', text: `${path} is a directory.`, advice: 'Name a file.' }),
  ENOTDIR: (path) => ({ reason: 'failed', text: `${path} is no directory, or lies in none.`, advice: '' }),
  ENAMETOOLONG: (path) => ({
    reason: 'limit',
    text: `${path} is a name too long for files.`,
    advice: 'Take a shorter one; a mailbox can be renamed before it is exported.',
  }),
  EEXIST: (path) => ({ reason: 'exists', text: `${path} exists.`, advice: '' }),
  EACCES: noRight,
  EPERM: noRight,
  EROFS: (path) => ({ reason: 'failed', text: `${path} is on a disk that nothing can be written to.`, advice: '' }),
  ENOSPC: (path) => full(`The disk of ${path}`),
  EDQUOT: (path) => full(`The disk of ${path}`),
}

function noRight(path: string): SystemFault {
  return { reason: 'not-allowed', text: `There is no right to open ${path}.`, advice: rights }
}

function full(disk: string): SystemFault {
  return { reason: 'unavailable', text: `${disk} is full.`, advice: 'Make room, then try again.' }
}

/** Whether it says that a disk is full, or what a user may have of it. */
export function isDiskFull(error: unknown): boolean {
  const { code = '' } = (error ?? {}) as NodeJS.ErrnoException
  return ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)
}

const damaged: SystemFault = {
  reason: 'failed',
  text: 'A database of the data directory is damaged.',
  advice: 'Stop the server; `pennypost restore DIR --replace` puts a backup back and keeps what is there aside.',
}
const closed: SystemFault = {
  reason: 'not-allowed',
  text: 'A database of the data directory cannot be opened or written.',
  advice: rights,
}

/** SQLite names no path. */
const databaseFaults: Readonly<Record<string, SystemFault>> = {
  SQLITE_NOTADB: damaged,
  SQLITE_CORRUPT: damaged,
  SQLITE_CANTOPEN: closed,
  SQLITE_READONLY: closed,
  SQLITE_FULL: full('The disk of the data directory'),
}

/** Undefined for anything but the system's word on a path, or SQLite's on its files. */
export function systemFault(error: unknown): SystemFault | undefined {
  const { code = '', path: from, dest, syscall } = (error ?? {}) as NodeJS.ErrnoException & { dest?: string }
  // Of two paths the one that cannot be written.
  const given = ['EROFS', 'EEXIST', 'ENOSPC', 'EDQUOT'].includes(String(code)) ? (dest ?? from) : from
  // Reading says it of what was opened, without its name.
  const path = given ?? (code === 'EISDIR' ? 'What was named' : undefined)
  // Writing says it without a name too.
  if (path === undefined && texts[code] && isDiskFull(error)) return full('The disk')
  // Extended codes go on behind an underscore.
  // An AbortError's code is a number.
  if (path === undefined) return databaseFaults[String(code).split('_', 2).join('_')]
  if (code !== 'ENOENT') return texts[code]?.(path)
  const text = syscall === 'mkdir' ? `${path} cannot be made in ${dirname(path)}.` : `There is no ${path}.`
  return { reason: 'not-found', text, advice: '' }
}
