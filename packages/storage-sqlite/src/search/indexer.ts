import type { SearchText, StoreFault } from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import type { Reader } from '../reader/reader.ts'
import { indexedText } from './contents.ts'
import type { FromSearch, IndexState, News } from './protocol.ts'
import { type IndexedText, isDamage, isNoRoom, removeIndex, SearchIndex } from './search-index.ts'

/**
 * Keeps the index: takes in what is in the mailboxes of accounts that are opened, each in the order of UIDs, so that one
 * number says how far a mailbox has come; forgets messages that went; makes the index anew when it is damaged. What goes
 * wrong here costs searches time and nothing else.
 */
export interface IndexerParts {
  /** Of the search thread. */
  reader: Reader
  files: ContentFiles
  text: SearchText
  path: string
  keeps: boolean
  note(note: Omit<Extract<FromSearch, { kind: 'note' }>, 'kind'>): void
}

/** A piece of work: about ten milliseconds. */
const stepRows = 100
const stepOctets = 512 * 1024
/** Mailboxes that are looked at in a piece, whether there is anything new in them. */
const stepLooks = 500

export class Indexer {
  readonly #parts: IndexerParts
  #index: SearchIndex | undefined
  readonly #accounts = new Set<number>()
  /** Mailboxes that are to be looked at. */
  readonly #unseen = new Set<number>()
  /** Mailboxes with something that is not in the index, and how much that is at most. */
  readonly #due = new Map<number, number>()
  /** The mailbox that was searched last without all of it in the index. */
  #wanted: number | undefined
  /** It cannot be written, and that was noted. */
  #isStuck = false

  /** Opens the index, where there may be one. */
  constructor(parts: IndexerParts) {
    this.#parts = parts
    if (!parts.keeps) return
    try {
      this.#open()
    } catch (error) {
      this.#stopped(error)
    }
  }

  get index(): SearchIndex | undefined {
    return this.#index
  }

  hear({ accounts, mailboxes }: News): void {
    for (const mailbox of mailboxes) this.#unseen.add(mailbox)
    for (const account of accounts) {
      this.#accounts.add(account)
      this.#lookAt(account)
    }
  }

  /** This mailbox comes first, whether its account is opened or not. */
  want(mailbox: number): void {
    if (!this.#parts.keeps) return
    this.#due.set(mailbox, this.#due.get(mailbox) ?? 1)
    this.#wanted = mailbox
  }

  /** Reads a piece of what is not in the index yet, unless it is not to grow, or tidies it up. */
  step(grows = true): IndexState {
    if (!this.#parts.keeps) return this.#state(false)
    try {
      const index = this.#index ?? this.#open()
      this.#look(index)
      const hasMore =
        (grows && this.#add(index)) || this.#unseen.size > 0 || index.tidy((message) => this.#isThere(message))
      this.#isStuck = false
      return this.#state(hasMore)
    } catch (error) {
      return this.#state(true, this.#stopped(error))
    }
  }

  forget(messages: readonly number[]): void {
    try {
      this.#index?.forget(messages)
    } catch (error) {
      // What stays finds no message to tell of, and goes when the index is swept at the next start.
      this.#index?.mistrust()
      this.#stopped(error)
    }
  }

  guarded<Result>(read: () => Result): Result | undefined {
    try {
      return read()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#stopped(error)
      return undefined
    }
  }

  faults(): StoreFault[] {
    const { path } = this.#parts
    const damage = this.guarded(() => this.#index?.faults()) ?? []
    const advice = `stop the server, delete ${path} and start it again: the index is made anew`
    return damage.map((where) => ({ fault: 'search-index-damaged', where: `search.db: ${where}`, advice }))
  }

  close(): void {
    try {
      this.#index?.close()
    } catch (error) {
      this.#stopped(error)
    }
  }

  #open(): SearchIndex {
    const { reader, path, note } = this.#parts
    const lineage = reader.pluck(`SELECT value FROM meta WHERE key = 'lineage'`).get() as string
    const newest = (reader.pluck('SELECT reserved FROM counters WHERE owner = 0').get() as number | undefined) ?? 0
    const contents = { ...this.#parts, statements: reader }
    this.#index = SearchIndex.open(path, { lineage, newest }, (message) => indexedText(contents, message)?.texts)
    this.#index.keepMailboxes((mailbox) => this.#uidNext(mailbox) !== undefined)
    const { remade } = this.#index
    if (remade !== undefined) note({ level: 'warn', text: 'search: the index is made anew', why: remade })
    this.#due.clear()
    for (const account of this.#accounts) this.#lookAt(account)
    return this.#index
  }

  #lookAt(account: number): void {
    const mailboxes = this.#read((reader) => reader.pluck('SELECT id FROM mailboxes WHERE account = ?').all(account))
    for (const mailbox of mailboxes as number[]) this.#unseen.add(mailbox)
  }

  /** Sees what there is to do in some mailboxes. */
  #look(index: SearchIndex): void {
    for (const mailbox of this.#unseen.values().take(stepLooks)) {
      this.#unseen.delete(mailbox)
      this.#isNow(mailbox, (this.#uidNext(mailbox) ?? 0) - 1 - index.upTo(mailbox))
    }
  }

  #isNow(mailbox: number, missing: number): void {
    if (missing > 0) this.#due.set(mailbox, missing)
    else this.#due.delete(mailbox)
  }

  /** False when everything is in it. */
  #add(index: SearchIndex): boolean {
    const [mailbox] = this.#wanted !== undefined && this.#due.has(this.#wanted) ? [this.#wanted] : this.#due.keys()
    if (mailbox === undefined) return false
    const select = 'SELECT uid, message FROM filings WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?'
    const from = index.upTo(mailbox)
    const { uidNext, rows } = this.#read((reader) =>
      reader.together(() => ({
        uidNext: this.#uidNext(mailbox),
        rows: reader.raw(select).all(mailbox, from, stepRows) as [number, number][],
      })),
    )
    const last = (uidNext ?? 0) - 1
    let upTo = rows.length < stepRows ? last : (rows.at(-1)?.[0] ?? last)
    const texts = this.#textsOf(rows, index, (uid) => {
      upTo = uid
    })
    if (uidNext !== undefined) index.add(texts, mailbox, () => upTo)
    this.#isNow(mailbox, last - upTo)
    return true
  }

  /** Of those that are not in the index; `onEnough` is called with the UID behind which it ends early. */
  *#textsOf(
    rows: readonly (readonly [uid: number, message: number])[],
    index: SearchIndex,
    onEnough: (uid: number) => void,
  ): Generator<IndexedText> {
    let octets = 0
    for (const [uid, message] of rows) {
      const text = index.has(message) ? undefined : this.#textOf(message)
      if (!text) continue
      yield text
      octets += text.octets
      if (octets >= stepOctets) return onEnough(uid)
    }
  }

  #textOf(message: number): (IndexedText & { octets: number }) | undefined {
    const { note, reader } = this.#parts
    return indexedText({ ...this.#parts, statements: reader }, message, (error) =>
      note({ level: 'error', text: `search: message ${message} could not be read as text`, why: String(error) }),
    )
  }

  /** Undefined when the mailbox is not there. */
  #uidNext(mailbox: number): number | undefined {
    const select = 'SELECT uid_next FROM mailboxes WHERE id = ?'
    return this.#read((reader) => reader.pluck(select).get(mailbox)) as number | undefined
  }

  #isThere(message: number): boolean {
    return this.#read((reader) => reader.pluck('SELECT 1 FROM messages WHERE id = ?').get(message)) !== undefined
  }

  /** Damage of mail.db is none of the index. */
  #read<Result>(read: (reader: Reader) => Result): Result {
    try {
      return read(this.#parts.reader)
    } catch (error) {
      if (isDamage(error)) throw new Error(`mail.db: ${(error as Error).message}`, { cause: error })
      throw error
    }
  }

  #state(more: boolean, stopped?: IndexState['stopped']): IndexState {
    const behind = this.#due.values().reduce((all, missing) => all + missing, this.#unseen.size)
    return { behind, octets: this.#index?.octets ?? 0, more, ...(stopped ? { stopped } : {}) }
  }

  /** After an error: a damaged index goes, a full disk is waited for. */
  #stopped(error: unknown): IndexState['stopped'] {
    const { note, path } = this.#parts
    const why = error instanceof Error ? error.message : String(error)
    if (isDamage(error)) {
      note({ level: 'warn', text: 'search: the index is damaged and is made anew', why })
      this.#index?.abandon()
      this.#index = undefined
      removeIndex(path)
      return undefined
    }
    if (isNoRoom(error)) {
      if (!this.#isStuck) note({ level: 'warn', text: 'search: the index cannot be written, and is tried again', why })
      this.#isStuck = true
      return 'no-room'
    }
    note({ level: 'error', text: 'search: the index can not go on', why })
    return 'failed'
  }
}
