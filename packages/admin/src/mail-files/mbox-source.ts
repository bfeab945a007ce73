import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createMboxReader } from '@pennypost/message'
import { AdminError } from '../admin-error.ts'
import { mailboxLevel } from './maildir-format.ts'
import { readMboxStatus } from './mbox-status.ts'
import type { FiledMessage } from './message-file.ts'
import { statIfThere } from './stat-if-there.ts'

/**
 * Messages out of mbox files: one file, or a tree of them as Thunderbird and mutt keep it (`Archive.sbd/2024`,
 * `Sent.mbox`), where paths become mailbox names. A file is read in chunks; of a message only its header section is held.
 */

/** Larger header sections are read as if they ended there. */
const headerLimit = 1024 * 1024

/** The messages of one file. Rejects when it is no mbox. */
export async function* readMboxFile(path: string, mailbox: string): AsyncGenerator<FiledMessage> {
  if ((await stat(path)).size > 0 && !(await startsAsMbox(path))) {
    throw new AdminError('bad-input', `${path} is no mbox: it does not begin with "From ".`)
  }
  const found: Found[] = []
  let current: Found | undefined
  const reader = createMboxReader({
    begin(at) {
      current = { at, header: [], headerOctets: 0, inHeader: true, pieces: [], isComplete: false }
      found.push(current)
    },
    data: (octets) => take(current as Found, octets),
    end() {
      ;(current as Found).isComplete = true
    },
  })
  const chunks = createReadStream(path, { highWaterMark: 256 * 1024 })[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  /** Reads on; false at the end of the file. */
  const more = async (): Promise<boolean> => {
    const { done, value } = await chunks.next()
    if (done) reader.finish()
    else reader.push(value)
    return !done
  }
  let isOpen = true
  while (isOpen || found.length > 0) {
    const [first] = found
    if (!first || (first.inHeader && !first.isComplete)) {
      if (isOpen) isOpen = await more()
      continue
    }
    const status = readMboxStatus(Buffer.concat(first.header))
    async function* content(message: Found): AsyncGenerator<Buffer> {
      yield status.header
      for (;;) {
        yield* message.pieces.splice(0)
        if (message.isComplete) return
        isOpen = await more()
      }
    }
    const pieces = content(first)
    if (!status.isInternal) {
      const internalDate = first.at === undefined ? null : { at: first.at, offsetMinutes: 0 }
      const { flags, uidl } = status
      yield { mailbox, flags, internalDate, content: pieces, ...(uidl === undefined ? {} : { uidl }) }
    }
    // Whatever the taker left unread.
    for await (const _rest of pieces);
    found.shift()
  }
}

interface Found {
  at: number | undefined
  header: Buffer[]
  headerOctets: number
  inHeader: boolean
  /** Octets behind the header section that have been read and not been given on. */
  pieces: Buffer[]
  isComplete: boolean
}

/** Takes a piece of a message: a line, or a part of a long one. */
function take(message: Found, octets: Buffer): void {
  const piece = Buffer.from(octets)
  if (!message.inHeader) {
    message.pieces.push(piece)
    return
  }
  message.header.push(piece)
  message.headerOctets += piece.length
  const isEmptyLine = piece[0] === 10 || (piece[0] === 13 && piece[1] === 10)
  if (isEmptyLine || message.headerOctets > headerLimit) message.inHeader = false
}

/** The mbox files under a directory with the mailbox names that their paths give, in order of path. */
export async function findMboxFiles(directory: string): Promise<{ path: string; mailbox: string }[]> {
  const files: { path: string; mailbox: string }[] = []
  const names = await readdir(directory, { recursive: true })
  for (const name of names.sort()) {
    const path = join(directory, name)
    // What others hide is no mail, but so is a mailbox written whose name begins with a dot.
    const isHidden = /(^|\/)\./.test(name) && !name.endsWith('.mbox')
    if (isHidden || !(await statIfThere(path))?.isFile() || !(await startsAsMbox(path))) continue
    const levels = name.split('/').map((level) => mailboxLevel(level.replace(/\.(sbd|mbox|mbx)$/i, '')))
    files.push({ path, mailbox: levels.join('/') })
  }
  return files
}

/** Whether a file begins as an mbox does. An empty one holds an empty mailbox, and nothing to import. */
async function startsAsMbox(path: string): Promise<boolean> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0)
  return buffer.toString('latin1', 0, bytesRead) === 'From '
}
