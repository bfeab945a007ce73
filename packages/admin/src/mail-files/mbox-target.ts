import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createMboxWriter, type MboxWriter, mboxEnvelopeLine } from '@pennypost/message'
import { makeDirectory, syncPath } from '@pennypost/model'
import { AdminError } from '../admin-error.ts'
import type { ExportedMailbox, ExportedMessage } from '../operations/export.ts'
import { writeMboxStatus } from './mbox-status.ts'
import type { ExportTarget } from './target.ts'

/**
 * Writes mboxrd files: one, or one for each mailbox under a directory (`Archive/2024.mbox`). Each is written beside its
 * place and moved there when it is complete; nothing that exists is overwritten.
 */
export class MboxTarget implements ExportTarget {
  readonly #path: string
  readonly #single: boolean
  #file: FileHandle | undefined
  #place = ''
  #writer: MboxWriter = createMboxWriter()
  #message: ExportedMessage | undefined

  /** `single`: `path` is the file for one mailbox, not a directory for all. */
  constructor(path: string, single: boolean) {
    this.#path = path
    this.#single = single
  }

  async mailbox({ mailbox }: ExportedMailbox): Promise<void> {
    await this.finish()
    this.#place = this.#single ? this.#path : join(this.#path, `${mailbox}.mbox`)
    if (await stat(this.#place).catch(() => undefined)) {
      throw new AdminError('exists', `${this.#place} exists.`, 'Move it away, or name another place.')
    }
    makeDirectory(dirname(this.#place))
    this.#file = await open(`${this.#place}.part`, 'w', 0o600)
  }

  async begin(message: ExportedMessage): Promise<void> {
    this.#message = message
    this.#writer = createMboxWriter()
  }

  async write(octets: Buffer): Promise<void> {
    if (this.#message) {
      // The first piece is the header, with the delivery block that names the reverse-path.
      const { flags, uid, uidl, internalDate } = this.#message
      this.#message = undefined
      const reversePath = /^Return-Path: *<([^>\r\n]*)>/i.exec(octets.toString('latin1', 0, 1000))?.[1] ?? ''
      await this.#put(mboxEnvelopeLine(reversePath, internalDate.at))
      await this.#put(this.#writer.push(writeMboxStatus(flags, uid, uidl)))
    }
    await this.#put(this.#writer.push(octets))
  }

  async end(): Promise<void> {
    await this.#put(this.#writer.finish())
  }

  async #put(octets: Buffer): Promise<void> {
    if (octets.length > 0) await this.#file?.writeFile(octets)
  }

  async finish(): Promise<void> {
    if (!this.#file) return
    await this.#file.sync()
    await this.#file.close()
    this.#file = undefined
    await rename(`${this.#place}.part`, this.#place)
    await syncPath(dirname(this.#place))
  }
}
