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
  readonly #most: number
  readonly #kept: KeptTexts<Texts>

  /** @param most characters of all that is kept */
  constructor(contents: Contents, most: number) {
    this.#contents = contents
    this.#most = most
    this.#kept = new KeptTexts(most, ({ headerText, bodyTexts = [] }) =>
      bodyTexts.reduce((sum, text) => sum + text.length, headerText.length),
    )
  }

  has(message: number): boolean {
    return this.#kept.has(message)
  }

  /**
   * Undefined when the message has gone.
   * @param needles all that are sought in its body: none when nobody looks there
   */
  of(message: number, needles: readonly string[]): Texts | undefined {
    const needsBody = needles.length > 0
    const known = this.#kept.get(message)
    if (known && (!needsBody || known.bodyTexts)) return known
    const headerText = known?.headerText ?? decodedHeader(this.#contents, message)
    if (headerText === undefined) return undefined
    // Not one message in the place of all.
    const body = needsBody ? decodedBody(this.#contents, message, needles, this.#most / 4) : undefined
    if (needsBody && !body) return undefined
    const texts = body ? { headerText, bodyTexts: body.texts } : { headerText }
    if (body?.isWhole !== false) this.#kept.keep(message, texts)
    return texts
  }
}
