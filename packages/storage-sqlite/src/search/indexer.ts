import type { SearchText, StoreFault } from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import type { Reader } from '../reader/reader.ts'
import { textsAbove, textsOf } from './contents.ts'
import type { FromSearch, IndexState } from './protocol.ts'
import { isDamage, isNoRoom, removeIndex, SearchIndex } from './search-index.ts'

/**
 * Keeps the index: takes messages in, in the order of their ids, so that one number says how far it has come; forgets
 * those that went; makes it anew when it is damaged. What goes wrong here costs searches time and nothing else.
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

export class Indexer {
  readonly #parts: IndexerParts
  #index: SearchIndex | undefined

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

  /** Reads a piece of what is not in the index yet, or tidies it up. */
  step(): IndexState {
    if (!this.#parts.keeps) return this.#state(false)
    try {
      const index = this.#index ?? this.#open()
      return this.#state(this.#add(index) || index.tidy((message) => this.#isThere(message)))
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
    this.#index = SearchIndex.open(path, { lineage, newest }, (message) => textsOf(contents, message))
    const { remade } = this.#index
    if (remade !== undefined) note({ level: 'warn', text: 'search: the index is made anew', why: remade })
    return this.#index
  }

  /** False when everything is in it. */
  #add(index: SearchIndex): boolean {
    const { note, reader } = this.#parts
    if (reader.pluck('SELECT 1 FROM contents WHERE message > ? LIMIT 1').get(index.upTo) === undefined) return false
    let last = index.upTo
    const texts = textsAbove(
      { ...this.#parts, statements: reader },
      last,
      { rows: stepRows, octets: stepOctets },
      (message) => {
        last = message
      },
      (message, error) =>
        note({ level: 'error', text: `search: message ${message} could not be read as text`, why: String(error) }),
    )
    index.add(texts, () => last)
    return true
  }

  #isThere(message: number): boolean {
    return this.#parts.reader.pluck('SELECT 1 FROM messages WHERE id = ?').get(message) !== undefined
  }

  #state(more: boolean, stopped?: IndexState['stopped']): IndexState {
    const { upTo = 0, octets = 0 } = this.#index ?? {}
    return { upTo, octets, more, ...(stopped ? { stopped } : {}) }
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
    if (isNoRoom(error)) return 'no-room'
    note({ level: 'error', text: 'search: the index can not go on', why })
    return 'failed'
  }
}
