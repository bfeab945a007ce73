import { type Contents, decodedBody, decodedHeader } from './contents.ts'
import { KeptTexts } from './kept-texts.ts'

/** Of one message, as searches look into them. */
export interface Texts {
  headerText: string
  /** Absent while nobody has asked for it. */
  bodyTexts?: readonly string[]
}

/** Texts of messages that are not in the index, as they were decoded for the last searches, long before it has come to them. */
export class DecodedTexts {
  readonly #contents: Contents
  readonly #kept: KeptTexts<Texts>

  /** @param most characters of all that is kept */
  constructor(contents: Contents, most: number) {
    this.#contents = contents
    this.#kept = new KeptTexts(most, ({ headerText, bodyTexts = [] }) =>
      bodyTexts.reduce((sum, text) => sum + text.length, headerText.length),
    )
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
    this.#kept.keep(message, texts)
    return texts
  }
}
