import {
  type Account,
  type FetchNeed,
  type JourneyId,
  type Log,
  type Mailbox,
  type MessageId,
  type Store,
  StoreError,
  systemFlags,
  type Uid,
  UidSet,
} from '@pennypost/model'

/**
 * POP3's view of INBOX: a snapshot taken at login, numbered from 1, unchanged until the session ends (RFC 1939 §4).
 * What IMAP expunges meanwhile stays readable here (the mailbox is pinned); what was marked by DELE goes only in the
 * UPDATE state, in one durable transaction.
 */
export interface MaildropMessage {
  uid: Uid
  message: MessageId
  /** Octets as RETR will send them, before dot-stuffing (RFC 1939 §11): a last line without CRLF gets one. */
  size: number
  uidl: string
  journey: JourneyId | null
  /** It was \Seen when the session began. */
  seen: boolean
  deleted: boolean
}

/** A message to be sent: small bodies are at hand, large ones are read as they go. */
export interface MessageOctets {
  header: Buffer
  body: Buffer | AsyncIterable<Buffer>
}

export interface MaildropOptions {
  store: Store
  log: Log
  /** Messages that are shown at most, the oldest. */
  limit: number
}

/** Messages whose \Seen is written in one go. */
const seenAtOnce = 50

export class Maildrop implements AsyncDisposable {
  readonly account: Account
  readonly mailbox: Mailbox
  readonly messages: readonly MaildropMessage[]
  readonly #store: Store
  readonly #log: Log
  readonly #pin: Disposable
  /** Read, and not yet marked so. */
  readonly #seen: number[] = []

  private constructor(
    { store, log }: MaildropOptions,
    account: Account,
    mailbox: Mailbox,
    messages: MaildropMessage[],
    pin: Disposable,
  ) {
    this.#store = store
    this.#log = log
    this.account = account
    this.mailbox = mailbox
    this.messages = messages
    this.#pin = pin
  }

  /** Opens the account's INBOX. Rejects with the store's error. */
  static async open(options: MaildropOptions, account: Account): Promise<Maildrop> {
    const { store, limit } = options
    const inbox = await store.mail.mailboxByName(account.id, 'INBOX')
    if (!inbox) throw new StoreError('no-such-mailbox', `${account.login} has no INBOX`)
    const pin = store.mail.pin(inbox.id)
    try {
      const { uids, flags } = await store.mail.snapshot(inbox.id)
      const messages: MaildropMessage[] = []
      let at = 0
      const need: FetchNeed = { uidl: true, journey: true, index: ['openEnd'] }
      for await (const page of store.mail.fetch(inbox.id, UidSet.ofSorted(uids.subarray(0, limit)), need)) {
        for (const { uid, message, size, index, uidl = '', journey = null } of page) {
          while (uids[at] !== uid) at++
          const seen = ((flags[at] as number) & systemFlags['\\Seen']) !== 0
          messages.push({ uid, message, size: index?.openEnd ? size + 2 : size, uidl, journey, seen, deleted: false })
        }
      }
      return new Maildrop(options, account, inbox, messages, pin)
    } catch (error) {
      pin[Symbol.dispose]()
      throw error
    }
  }

  /** The message of that number, unless it is deleted. */
  message(number: number): MaildropMessage | undefined {
    const message = this.messages[number - 1]
    return message?.deleted === false ? message : undefined
  }

  /** Those not deleted, with their numbers. */
  *remaining(): Generator<readonly [number: number, message: MaildropMessage]> {
    for (const [index, message] of this.messages.entries()) if (!message.deleted) yield [index + 1, message]
  }

  /** Header section, then body. Undefined when the message cannot be read any more. */
  async read(message: MaildropMessage): Promise<MessageOctets | undefined> {
    const { mail } = this.#store
    for await (const [row] of mail.fetch(this.mailbox.id, UidSet.of(message.uid), { header: true, body: true })) {
      if (row?.header) return { header: row.header, body: row.body ?? mail.readBody(message.message) }
    }
    return undefined
  }

  /**
   * Sets \Seen, together with that of other messages read soon after: nobody waits for it. Who has marked a message as
   * unread since the session began wants it so.
   */
  async markSeen(message: MaildropMessage): Promise<void> {
    if (message.seen) return
    this.#seen.push(message.uid)
    if (this.#seen.length >= seenAtOnce) await this.flushSeen()
  }

  /** Writes the \Seen that are still owed. Never rejects: mail can be fetched and deleted where it cannot be set, as on a full disk. */
  async flushSeen(): Promise<void> {
    const uids = UidSet.of(...this.#seen.splice(0))
    if (uids.isEmpty) return
    try {
      await this.#store.mail.updateFlags(this.mailbox.id, { uids, mode: 'add', flags: ['\\Seen'] })
    } catch (error) {
      this.#log.warn({ login: this.account.login, err: error }, '\\Seen could not be set')
    }
  }

  /** The UPDATE state: removes what was deleted. Gives how many were. */
  async update(): Promise<number> {
    await this.flushSeen()
    const uids = UidSet.ofSorted(this.messages.filter((message) => message.deleted).map((message) => message.uid))
    if (!uids.isEmpty) await this.#store.mail.expunge(this.mailbox.id, uids, 'all')
    return uids.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pin[Symbol.dispose]()
    await this.flushSeen()
  }
}
