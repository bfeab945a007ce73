import { type FetchedMessage, type FetchNeed, type MailboxId, type MailStore, UidSet } from '@pennypost/model'

/** The mailbox whose messages are read, as far as it is known. */
export interface KnownMailbox {
  readonly mailbox: { readonly id: MailboxId }
  readonly uids: Uint32Array
  readonly count: number
}

/**
 * Reads something of every message of a mailbox once, and later of those that came since: what never changes of a
 * message need not be read twice. Sessions that ask at the same time wait for one read.
 */
export class ReadOn {
  readonly #mail: MailStore
  readonly #open: KnownMailbox
  readonly #need: FetchNeed
  readonly #take: (row: FetchedMessage) => void
  /** All messages up to this UID have been read. */
  #upTo = 0
  #reading: Promise<void> | undefined

  constructor(mail: MailStore, open: KnownMailbox, need: FetchNeed, take: (row: FetchedMessage) => void) {
    this.#mail = mail
    this.#open = open
    this.#need = need
    this.#take = take
  }

  /** Resolves when everything that the mailbox has at the call was given to `take`, in order of UID. */
  async upToDate(): Promise<void> {
    const { uids, count } = this.#open
    const last = count === 0 ? 0 : (uids[count - 1] as number)
    while (this.#upTo < last) {
      this.#reading ??= this.#read(last).finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
  }

  async #read(last: number): Promise<void> {
    const missing = UidSet.ofRanges([[this.#upTo + 1, last]])
    for await (const rows of this.#mail.fetch(this.#open.mailbox.id, missing, this.#need)) {
      for (const row of rows) {
        this.#take(row)
        this.#upTo = row.uid
      }
    }
    this.#upTo = last
  }
}

/** The array itself when `size` elements fit into it, else a larger one with the same beginning. */
export function withRoom<T extends Uint32Array | Int32Array | Int16Array | Float64Array>(array: T, size: number): T {
  if (size <= array.length) return array
  const grown = new (array.constructor as new (size: number) => T)(Math.ceil(size * 1.25) + 16)
  grown.set(array)
  return grown
}
