import { createReadStream } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { mailboxLevel, mailboxOfFolder, readFileName, readKeywords, readUidList } from './maildir-format.ts'
import type { FiledMessage } from './message-file.ts'
import { statIfThere } from './stat-if-there.ts'

/**
 * Messages out of a Maildir with its folders, as Maildir++ (`.Archive.2024`) or as directories in each other. Dates are
 * those of the files, order and UIDLs those that Dovecot noted, where it did. Files may move to other names while this
 * runs (a mail program sets flags): such a message is looked up once more.
 */
export interface MaildirFolder {
  path: string
  mailbox: string
}

/** The Maildirs at and below a directory, with their mailbox names, in order of name. Empty when it is no Maildir. */
export async function findMaildirs(root: string): Promise<MaildirFolder[]> {
  const folders: MaildirFolder[] = []
  // Symbolic links may lead round.
  const seen = new Set<string>()
  const look = async (path: string, mailbox: string): Promise<void> => {
    const place = await realpath(path)
    if (seen.has(place)) return
    seen.add(place)
    const directories = await directoriesIn(path)
    if (directories.includes('cur')) folders.push({ path, mailbox: mailbox || 'INBOX' })
    for (const name of directories.sort()) {
      if (name === 'cur' || name === 'new' || name === 'tmp') continue
      if (name.startsWith('.')) {
        if (path === root && name.length > 1) await look(join(path, name), mailboxOfFolder(name))
      } else await look(join(path, name), mailbox === '' ? mailboxLevel(name) : `${mailbox}/${mailboxLevel(name)}`)
    }
  }
  await look(root, '')
  return folders.sort((a, b) => (a.mailbox < b.mailbox ? -1 : 1))
}

/** Also those that symbolic links lead to: folders are moved to other disks. */
async function directoriesIn(path: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const isLink = entry.isSymbolicLink()
    if (isLink ? (await statIfThere(join(path, entry.name)))?.isDirectory() : entry.isDirectory())
      names.push(entry.name)
  }
  return names
}

/** The messages of one folder. `onOther` is told of what is no regular file: reading a pipe would never end. */
export async function* readMaildir(
  { path, mailbox }: MaildirFolder,
  onOther: (path: string) => void,
): AsyncGenerator<FiledMessage> {
  const keywords = readKeywords(await textOf(join(path, 'dovecot-keywords')))
  const { messages } = readUidList(await textOf(join(path, 'dovecot-uidlist')))
  const uidOf = (name: string): number => messages.get(readFileName(name, []).base)?.uid ?? Number.POSITIVE_INFINITY
  const files: string[] = []
  for (const part of ['new', 'cur']) {
    for (const name of await namesIn(join(path, part))) if (!name.startsWith('.')) files.push(`${part}/${name}`)
  }
  const plain = (file: string): string => file.slice(file.indexOf('/') + 1)
  // Names begin with the time of delivery.
  files.sort((a, b) => uidOf(plain(a)) - uidOf(plain(b)) || (plain(a) < plain(b) ? -1 : 1))
  for (const file of files) {
    const present = await find(path, file)
    if (present === undefined) continue
    const name = plain(present)
    const { base, flags } = present.startsWith('new/')
      ? { ...readFileName(name, keywords), flags: [] }
      : readFileName(name, keywords)
    const found = await statIfThere(join(path, present))
    if (!found?.isFile()) {
      onOther(join(path, present))
      continue
    }
    const uidl = messages.get(base)?.uidl
    yield {
      mailbox,
      flags,
      internalDate: { at: Math.floor(found.mtimeMs / 1000) * 1000, offsetMinutes: 0 },
      content: createReadStream(join(path, present)),
      ...(uidl === undefined ? {} : { uidl }),
    }
  }
}

/** The file, or the name that it has got since; undefined when it is gone. */
async function find(path: string, file: string): Promise<string | undefined> {
  if (await statIfThere(join(path, file))) return file
  const { base } = readFileName(file.slice(file.indexOf('/') + 1), [])
  const renamed = (await namesIn(join(path, 'cur'))).find((name) => readFileName(name, []).base === base)
  return renamed === undefined ? undefined : `cur/${renamed}`
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(emptyIfMissing(''))
const namesIn = (path: string): Promise<string[]> => readdir(path).catch(emptyIfMissing<string[]>([]))

function emptyIfMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}
