import {
  type Clock,
  type MailboxId,
  matches,
  type SearchQuery,
  type SearchSubject,
  type SearchText,
  StoreError,
  type UidSet,
} from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import type { Reader } from '../reader/reader.ts'
import { type Candidates, candidatesFor } from './candidates.ts'
import { type Contents, octetsAsText } from './contents.ts'
import { DecodedTexts, type Texts } from './decoded-texts.ts'
import { FilingColumnsCache } from './filing-columns.ts'
import type { Filings } from './filings.ts'
import { PlainTexts, type Required } from './plain-texts.ts'
import { asksForRow, bodyNeedlesOf, hasNul, requiredOf } from './query.ts'
import { Rounds } from './rounds.ts'
import type { SearchIndex } from './search-index.ts'

/**
 * Answers searches in text: what the index says can match is read and looked at closely, so that the index never changes
 * an answer. Messages that are not in the index can match too; their texts are decoded from what the store has. Works in
 * pages, so that searches take turns and can be cancelled.
 */
export interface SearcherParts {
  /** Of the search thread. */
  reader: Reader
  files: ContentFiles
  text: SearchText
  clock: Clock
  /** Of texts, and of header sections, that were decoded for the last searches. */
  keptCharacters: number
  /** Undefined while there is none. */
  index(): SearchIndex | undefined
  /** Somebody searches what the index has not of a mailbox. */
  want(mailbox: MailboxId): void
  /** Runs what reads the index; undefined when it turned out to be damaged, which makes a new one. */
  guarded<Result>(read: () => Result): Result | undefined
}

export interface TextSearch {
  mailbox: MailboxId
  query: SearchQuery
  within: UidSet
  /** Asked before each page. */
  isCancelled(): boolean
}

export interface TextFound {
  uids: number[]
  /** Some of the mailbox's messages are not in the index yet. */
  behind: boolean
}

const pageMs = 4

export class Searcher {
  readonly #parts: SearcherParts
  readonly #contents: Contents
  readonly #decoded: DecodedTexts
  readonly #plain: PlainTexts
  readonly #filings: FilingColumnsCache
  readonly #rounds = new Rounds()

  constructor(parts: SearcherParts) {
    this.#parts = parts
    this.#contents = { statements: parts.reader, files: parts.files, text: parts.text }
    this.#decoded = new DecodedTexts(this.#contents, parts.keptCharacters)
    this.#plain = new PlainTexts(this.#contents, parts.keptCharacters)
    this.#filings = new FilingColumnsCache(parts.text)
  }

  async search(search: TextSearch): Promise<TextFound> {
    const filings = await this.#filingsOf(search.mailbox)
    const { index, guarded } = this.#parts
    const upTo = guarded(() => index()?.upTo(search.mailbox)) ?? 0
    const behind = filings.placeOf(upTo + 1) < filings.count
    if (behind) this.#parts.want(search.mailbox)
    const kept = hasNul(search.query) ? undefined : index()
    const candidates = kept && guarded(() => candidatesFor(search.query, { filings, index: kept, upTo }))
    const uids = await this.#check(search, filings, candidates, kept !== undefined)
    return { uids, behind }
  }

  async #filingsOf(mailbox: MailboxId): Promise<Filings> {
    try {
      return await this.#filings.of(mailbox).refresh(this.#parts.reader)
    } catch (error) {
      if (error instanceof StoreError) this.#filings.drop(mailbox)
      throw error
    }
  }

  async #check(
    { query, within, mailbox, isCancelled }: TextSearch,
    filings: Filings,
    candidates: Candidates,
    kept: boolean,
  ): Promise<number[]> {
    const { clock, reader } = this.#parts
    const subjectOf = this.#subjects(mailbox, query, filings, kept)
    const found: number[] = []
    const places = placesIn(filings, within, candidates)
    /** False when it was the last one. */
    const page = (): boolean => {
      const until = clock.elapsed() + pageMs
      for (;;) {
        const { value: place, done } = places.next()
        if (done) return false
        const subject = subjectOf(place)
        if (subject && matches(query, subject)) found.push(filings.uid(place))
        // After each: one message may take as long as a thousand others.
        if (clock.elapsed() >= until) return true
      }
    }
    const account = reader.pluck('SELECT account FROM mailboxes WHERE id = ?').get(mailbox) as number | undefined
    // One transaction for a page: each statement alone would take the locks anew.
    do await this.#rounds.turn(account ?? 0)
    while (!isCancelled() && reader.together(page))
    return found
  }

  /** Gives what a query can look at; undefined for a message that has gone meanwhile, or surely does not match. */
  #subjects(
    mailbox: MailboxId,
    query: SearchQuery,
    filings: Filings,
    kept: boolean,
  ): (place: number) => SearchSubject | undefined {
    const needsRow = asksForRow(query)
    const bodyNeedles = bodyNeedlesOf(query)
    const lacks = this.#lacking(requiredOf(query), filings)
    return (place) => {
      const uid = filings.uid(place)
      const message = filings.message(place)
      const indexed = kept ? this.#keptTexts(message, bodyNeedles.length > 0) : undefined
      if (!indexed && lacks(place, message)) return undefined
      const marks = needsRow ? this.#row(mailbox, uid) : { flags: 0, modSeq: 0 }
      const texts = indexed ?? this.#decoded.of(message, bodyNeedles)
      if (!marks || !texts) return undefined
      return {
        uid,
        ...marks,
        headerText: () => filings.delivery(place) + texts.headerText,
        bodyTexts: () => texts.bodyTexts ?? [],
      }
    }
  }

  /** Says of messages that are not in the index whether they surely do not match, by a quick look. */
  #lacking(required: readonly Required[], filings: Filings): (place: number, message: number) => boolean {
    const all = this.#plain.words(required)
    let delivery = ''
    let words = all
    return (place, message) => {
      // Mostly that of the message before.
      if (filings.delivery(place) !== delivery) {
        delivery = filings.delivery(place)
        // What stands in the delivery block, whose text is folded already, need not be in the content.
        words = all.filter(({ needle }) => !delivery.includes(needle))
      }
      return words.length > 0 && !this.#decoded.has(message) && this.#plain.lack(message, words)
    }
  }

  #keptTexts(message: number, needsBody: boolean): Texts | undefined {
    const { index, guarded } = this.#parts
    if (needsBody) {
      const [head, kept] = guarded(() => index()?.text(message)) ?? []
      const body = kept ?? (head === undefined ? undefined : octetsAsText(this.#contents, message))
      return head === undefined || body === undefined ? undefined : { headerText: head, bodyTexts: [body] }
    }
    const head = guarded(() => index()?.head(message))
    return head === undefined ? undefined : { headerText: head }
  }

  #row(mailbox: MailboxId, uid: number): Pick<SearchSubject, 'flags' | 'modSeq' | 'row'> | undefined {
    const row = this.#parts.reader
      .raw(
        `SELECT flags, modseq, size, internal_at, internal_offset, saved_at, sent_day FROM marks
          JOIN filings USING (mailbox, uid) JOIN messages ON messages.id = message WHERE mailbox = ? AND uid = ?`,
      )
      .get(mailbox, uid) as [number, number, number, number, number, number, number | null] | undefined
    if (!row) return undefined
    const [flags, modSeq, size, at, offsetMinutes, savedAt, sentDay] = row
    return { flags, modSeq, row: { size, internalDate: { at, offsetMinutes }, savedAt, sentDay } }
  }
}

function* placesIn(filings: Filings, within: UidSet, candidates: Candidates): Generator<number, undefined> {
  for (const [first, last] of within.ranges()) {
    for (let place = filings.placeOf(first); place < filings.count && filings.uid(place) <= last; place++) {
      if (!candidates || candidates[place] === 1) yield place
    }
  }
}
