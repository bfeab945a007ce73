/**
 * Messages into the mailboxes of an account, with their dates, flags and UIDLs. They come as frames, so that the files
 * are read by whoever runs the verb, in whatever format.
 *
 * Safe to repeat: what a mailbox has already (by UIDL and ENVELOPE, or else by size and ENVELOPE) is passed over, one for
 * one, so that messages which stand twice in the source stand twice in the mailbox too, and an import that broke off goes
 * on. No two messages of a mailbox get the same UIDL.
 */
import {
  type Account,
  type Flag,
  isKeyword,
  isUidl,
  type Mailbox,
  mailboxName,
  type NewAppend,
  superiors,
  systemFlag,
  UidSet,
} from '@pennypost/model'
import { z } from 'zod'
import { findAccount } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address } from '../input-fields.ts'
import { type Fingerprint, fingerprint, type IncomingMessage, readMessages } from '../message-intake.ts'
import { operation } from '../operation.ts'
import { afterSome } from '../store-refusals.ts'

const messageHead = z.object({
  mailbox: z.string().max(1000),
  flags: z.array(z.string().max(100)).max(200).default([]),
  internalDate: z
    .object({ at: z.number(), offsetMinutes: z.number().int().min(-1440).max(1440) })
    .nullable()
    .default(null),
  uidl: z.string().optional(),
})

/** One transaction takes so many messages, or so many octets. */
const batch = { messages: 200, octets: 8 * 1024 * 1024 }

export const mailImport = operation({
  name: 'import',
  kind: 'change',
  /** `mailboxes`: those of the source, which are there afterwards, whether or not anything comes for them. */
  input: z.strictObject({ login: address, mailboxes: z.array(z.string().max(1000)).default([]) }),
  async run(context, { login, mailboxes }, { upload, progress, signal }) {
    const account = await findAccount(context, login)
    const work = new Import(context, account)
    try {
      for await (const incoming of readMessages(context.store.mail, upload)) {
        signal.throwIfAborted()
        await work.take(incoming)
        progress({ done: work.imported + work.skipped + work.pending, unit: 'messages' })
      }
      await work.flush()
      for (const name of mailboxes.flatMap((written) => mailboxName(written) ?? [])) {
        signal.throwIfAborted()
        await openMailbox(context, account, name)
      }
    } catch (error) {
      await work.drop()
      const { imported } = work
      throw imported === 0 ? error : afterSome(`${imported} message${imported === 1 ? '' : 's'}`, error)
    }
    return { login, imported: work.imported, skipped: work.skipped, mailboxes: [...work.filled] }
  },
})

class Import {
  imported = 0
  skipped = 0
  /** Names of the mailboxes that have got something. */
  readonly filled = new Set<string>()
  readonly #context: AdminContext
  readonly #account: Account
  readonly #targets = new Map<string, Target>()
  #target: Target | undefined
  #batch: NewAppend[] = []
  #octets = 0

  constructor(context: AdminContext, account: Account) {
    this.#context = context
    this.#account = account
  }

  get pending(): number {
    return this.#batch.length
  }

  async take({ head, message }: IncomingMessage): Promise<void> {
    const size = message.header.length + message.index.bodySize
    try {
      const parsed = messageHead.safeParse(head)
      if (!parsed.success) throw new AdminError('bad-input', `A message's head is wrong: ${parsed.error.message}`)
      const { mailbox, flags, internalDate, uidl } = parsed.data
      const target = await this.#targetFor(mailbox)
      if (target !== this.#target || this.#isFull(size)) await this.flush()
      this.#target = target
      const given = uidl !== undefined && isUidl(uidl) ? uidl : undefined
      if (target.take(given, fingerprint(size, message.index.envelope))) {
        this.skipped++
        await message.content.discard()
        return
      }
      const date = internalDate ?? { at: message.index.sentAt ?? this.#context.clock.now(), offsetMinutes: 0 }
      const append = { message, flags: flags.flatMap(knownFlag), internalDate: date }
      const kept = target.claim(given)
      this.#batch.push(kept === undefined ? append : { ...append, uidl: kept })
      this.#octets += size
    } catch (error) {
      await message.content.discard()
      throw error
    }
  }

  #isFull(size: number): boolean {
    return this.#batch.length >= batch.messages || this.#octets + size > batch.octets
  }

  async flush(): Promise<void> {
    const appends = this.#batch
    this.#batch = []
    this.#octets = 0
    if (appends.length === 0 || !this.#target) return
    await this.#context.store.mail.append(this.#target.mailbox.id, appends)
    this.filled.add(this.#target.mailbox.name)
    this.imported += appends.length
  }

  /** Forgets what was not committed. */
  async drop(): Promise<void> {
    for (const { message } of this.#batch) await message.content.discard()
    this.#batch = []
  }

  async #targetFor(written: string): Promise<Target> {
    const name = mailboxName(written)
    if (name === undefined) throw new AdminError('bad-input', `"${written}" cannot be the name of a mailbox.`)
    let target = this.#targets.get(name)
    if (!target) {
      const mailbox = await openMailbox(this.#context, this.#account, name)
      target = await Target.read(this.#context, mailbox)
      this.#targets.set(name, target)
    }
    return target
  }
}

/** What a mailbox held before the import, each to be matched once. */
class Target {
  readonly mailbox: Mailbox
  /** By UIDL; undefined: it has been matched, or has come with this import. */
  readonly #held = new Map<string, Fingerprint | undefined>()
  readonly #fingerprints = new Map<string, number>()

  private constructor(mailbox: Mailbox) {
    this.mailbox = mailbox
  }

  static async read({ store }: AdminContext, mailbox: Mailbox): Promise<Target> {
    const target = new Target(mailbox)
    const all = UidSet.ofRanges(mailbox.uidNext > 1 ? [[1, mailbox.uidNext - 1]] : [])
    for await (const page of store.mail.fetch(mailbox.id, all, { uidl: true, index: ['envelope'] })) {
      for (const { uidl = '', size, index } of page) {
        const held = fingerprint(size, index?.envelope ?? '')
        target.#held.set(uidl, held)
        target.#fingerprints.set(held.whole, (target.#fingerprints.get(held.whole) ?? 0) + 1)
      }
    }
    return target
  }

  /** Whether it held this message, which from now on it does not. */
  take(uidl: string | undefined, { envelope, whole }: Fingerprint): boolean {
    if (uidl !== undefined) {
      const held = this.#held.get(uidl)
      if (held?.envelope === envelope) {
        this.#held.set(uidl, undefined)
        return this.#match(held.whole)
      }
      // Where another has its UIDL, it may have come without.
      if (!this.#held.has(uidl)) return false
    }
    return this.#match(whole)
  }

  #match(whole: string): boolean {
    const count = this.#fingerprints.get(whole) ?? 0
    if (count > 0) this.#fingerprints.set(whole, count - 1)
    return count > 0
  }

  /** The UIDL that a new message gets; undefined: one of its own, since another has it. */
  claim(uidl: string | undefined): string | undefined {
    if (uidl === undefined || this.#held.has(uidl)) return undefined
    this.#held.set(uidl, undefined)
    return uidl
  }
}

async function openMailbox({ store: { mail } }: AdminContext, account: Account, name: string): Promise<Mailbox> {
  // Asked one by one: an account may have ten thousand others, and each of them comes here.
  for (const each of [...superiors(name), name]) {
    if (await mail.mailboxByName(account.id, each)) continue
    await mail.createMailbox(account.id, each)
    await mail.subscribe(account.id, each, true)
  }
  return (await mail.mailboxByName(account.id, name)) as Mailbox
}

/** Flags that the model knows; others, such as other servers' \Recent, are left out. */
function knownFlag(flag: string): Flag[] {
  const system = systemFlag(flag)
  return system ? [system] : isKeyword(flag) ? [flag] : []
}
