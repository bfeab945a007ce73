import { type FileHandle, open, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory, syncPath } from '@pennypost/model'
import { AdminError } from '../admin-error.ts'
import type { ExportedMailbox, ExportedMessage } from '../operations/export.ts'
import { folderOfMailbox, infoOf, readFileName } from './maildir-format.ts'
import type { ExportTarget } from './target.ts'

/** Octets of a name that file systems take. */
const longestName = 255

/**
 * Writes a Maildir++ with Dovecot's notes of UIDs, UIDLs and keywords beside it. File names come from UIDVALIDITY and
 * UID, so that an export that is repeated writes what is new, renames what has other flags, and leaves the rest.
 * Never put into a Maildir that somebody else uses.
 */
export class MaildirTarget implements ExportTarget {
  readonly #root: string
  #folder = ''
  #mailbox: ExportedMailbox | undefined
  /** Unique part → file name of what is there. */
  #present = new Map<string, string>()
  #keywords: string[] = []
  #uidList: string[] = []
  #message: { head: ExportedMessage; file: FileHandle | undefined; afterCr: boolean } | undefined

  constructor(root: string) {
    this.#root = root
  }

  async mailbox(mailbox: ExportedMailbox): Promise<void> {
    await this.finish()
    const folder = folderOfMailbox(mailbox.mailbox)
    if (folder.length > longestName) {
      const text = `The name of ${mailbox.mailbox} is too long for a Maildir, which writes all of it into the name of a folder.`
      throw new AdminError('limit', text, 'Export to mbox, or rename the mailbox.')
    }
    this.#mailbox = mailbox
    this.#folder = join(this.#root, folder)
    for (const part of ['cur', 'new', 'tmp']) makeDirectory(join(this.#folder, part), 0o700)
    if (mailbox.mailbox !== 'INBOX') await writeFile(join(this.#folder, 'maildirfolder'), '')
    this.#present = new Map()
    for (const name of await readdir(join(this.#folder, 'cur'))) {
      const { base } = readFileName(name, [])
      if (!base.endsWith('.pennypost')) {
        const text = `${this.#folder} holds mail that no export has written.`
        throw new AdminError('exists', text, 'Name an empty directory.')
      }
      this.#present.set(base, name)
    }
  }

  async begin(head: ExportedMessage): Promise<void> {
    const isThere = this.#present.has(this.#baseOf(head))
    const file = isThere ? undefined : await open(this.#draft, 'w', 0o600)
    this.#message = { head, file, afterCr: false }
  }

  #baseOf({ uid, internalDate }: ExportedMessage): string {
    return `${Math.floor(internalDate.at / 1000)}.V${this.#mailbox?.uidValidity}U${uid}.pennypost`
  }

  get #draft(): string {
    return join(this.#folder, 'tmp', 'export.pennypost')
  }

  async write(octets: Buffer): Promise<void> {
    const message = this.#message
    if (!message?.file) return
    // Content has CRLF only, so this loses nothing; a CR at the end waits for its LF.
    let text = (message.afterCr ? '\r' : '') + octets.toString('latin1')
    message.afterCr = text.endsWith('\r')
    if (message.afterCr) text = text.slice(0, -1)
    await message.file.writeFile(text.replaceAll('\r\n', '\n'), 'latin1')
  }

  async end(): Promise<void> {
    const { head, file, afterCr } = this.#message!
    const base = this.#baseOf(head)
    const name = base + infoOf(head.flags, this.#keywords)
    const place = join(this.#folder, 'cur', name)
    if (file) {
      if (afterCr) await file.writeFile('\r')
      await file.sync()
      await file.close()
      // Of a number before 1970, Node would make now.
      const date = new Date(head.internalDate.at)
      await utimes(this.#draft, date, date)
      await rename(this.#draft, place)
    } else if (this.#present.get(base) !== name) {
      await rename(join(this.#folder, 'cur', this.#present.get(base) as string), place)
    }
    this.#uidList.push(`${head.uid} P${head.uidl} :${base}`)
    this.#message = undefined
  }

  async finish(): Promise<void> {
    if (!this.#mailbox) return
    const { uidValidity, uidNext } = this.#mailbox
    const list = [`3 V${uidValidity} N${uidNext}`, ...this.#uidList]
    await writeFile(join(this.#folder, 'dovecot-uidlist'), `${list.join('\n')}\n`, { mode: 0o600, flush: true })
    const keywords = this.#keywords.map((keyword, index) => `${index} ${keyword}\n`)
    const keywordFile = join(this.#folder, 'dovecot-keywords')
    if (keywords.length > 0) await writeFile(keywordFile, keywords.join(''), { mode: 0o600, flush: true })
    else await rm(keywordFile, { force: true })
    for (const directory of [join(this.#folder, 'cur'), this.#folder]) await syncPath(directory)
    this.#mailbox = undefined
    this.#uidList = []
    this.#keywords = []
  }
}
