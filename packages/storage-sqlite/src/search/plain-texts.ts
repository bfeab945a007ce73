import type { PlainText } from '@pennypost/model'
import type { Contents } from './contents.ts'
import { KeptTexts } from './kept-texts.ts'

/** What a message must have to match: folded, in the header section alone or anywhere. */
export interface Required {
  needle: string
  place: 'header' | 'anywhere'
}

/**
 * A quick no to searches in messages that are not in the index: by their octets, where these are their text. Header
 * sections are remembered.
 */
export class PlainTexts {
  readonly #contents: Contents
  readonly #plain: PlainText | undefined
  /** Undefined: says nothing. */
  readonly #heads: KeptTexts<string | undefined>

  /** @param most characters of all that is kept */
  constructor(contents: Contents, most: number) {
    this.#contents = contents
    this.#plain = contents.text.plain
    this.#heads = new KeptTexts(most, (head) => head?.length ?? 0)
  }

  /** What of it can be looked for here. */
  words(required: readonly Required[]): readonly Required[] {
    return required.filter(({ needle }) => this.#plain?.isWord(needle))
  }

  /** Whether one of these words is surely not in the message. */
  lack(message: number, words: readonly Required[]): boolean {
    const head = this.#head(message)
    if (head === undefined) return false
    let body: string | undefined
    for (const { needle, place } of words) {
      if (head.includes(needle)) continue
      if (place === 'header') return true
      body ??= this.#body(message, head)
      if (body === undefined) return false
      if (!body.includes(needle)) return true
    }
    return false
  }

  #head(message: number): string | undefined {
    const known = this.#heads.get(message)
    if (known !== undefined || this.#heads.has(message)) return known
    const header = this.#contents.statements.pluck('SELECT header FROM contents WHERE message = ?').get(message) as
      | Buffer
      | undefined
    const head = header && this.#plain?.header(header)
    this.#heads.keep(message, head)
    return head
  }

  /** Undefined for bodies in files too: they are large, and reading them twice would cost as much as decoding them. */
  #body(message: number, head: string): string | undefined {
    const row = this.#contents.statements
      .raw('SELECT body FROM contents WHERE message = ? AND file IS NULL')
      .get(message) as [Buffer | null] | undefined
    return row && this.#plain?.body(head, row[0] ?? Buffer.alloc(0))
  }
}
