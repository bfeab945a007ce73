import { type Contents, decodedBody, decodedHeader } from './contents.ts'

/** Of one message, as searches look into them. */
export interface Texts {
  headerText: string
  /** Absent while nobody has asked for it. */
  bodyTexts?: readonly string[]
}

/**
 * Texts of messages that are not in the index, as they were decoded for the last searches: who looks for a word looks for
 * the next one in the same mailbox, long before the index has come to it. Bounded; the oldest go first.
 *
 * Never broken: a message id stands for one content for ever, so what is kept is never stale.
 */
export class DecodedTexts {
  readonly #contents: Contents
  readonly #most: number
  readonly #kept = new Map<number, Texts>()
  #characters = 0

  /** @param most characters of all that is kept */
  constructor(contents: Contents, most = 16_000_000) {
    this.#contents = contents
    this.#most = most
  }

  has(message: number): boolean {
    return this.#kept.has(message)
  }

  /** Undefined when the message has gone. */
  of(message: number, needsBody: boolean): Texts | undefined {
    const known = this.#kept.get(message)
    if (known && (!needsBody || known.bodyTexts)) return known
    const headerText = known?.headerText ?? decodedHeader(this.#contents, message)
    if (headerText === undefined) return undefined
    const bodyTexts = needsBody ? decodedBody(this.#contents, message) : undefined
    if (needsBody && !bodyTexts) return undefined
    const texts = bodyTexts ? { headerText, bodyTexts } : { headerText }
    this.#keep(message, texts)
    return texts
  }

  #keep(message: number, texts: Texts): void {
    this.#drop(message)
    this.#kept.set(message, texts)
    this.#characters += sizeOf(texts)
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#most) return
      this.#drop(oldest)
    }
  }

  #drop(message: number): void {
    const texts = this.#kept.get(message)
    if (!texts) return
    this.#characters -= sizeOf(texts)
    this.#kept.delete(message)
  }
}

/** What an entry costs beside its texts, roughly. */
const perEntry = 100

function sizeOf({ headerText, bodyTexts = [] }: Texts): number {
  return bodyTexts.reduce((sum, text) => sum + text.length, perEntry + headerText.length)
}
