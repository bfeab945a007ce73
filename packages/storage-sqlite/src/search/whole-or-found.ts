/**
 * Texts of a body as far as there is room for them. Of more only the needles are told that are in them, which is the same to
 * who looks for these alone: a letter of 50 MB takes no more memory than a small one.
 */
export interface BodyTexts {
  texts: string[]
  isWhole: boolean
}

/** @param most characters of all that is kept, but for one piece */
export function wholeOrFound(
  bodyTexts: Iterable<Iterable<string>>,
  needles: readonly string[],
  most: number,
): BodyTexts {
  const tail = Math.max(1, ...needles.map((needle) => needle.length)) - 1
  let texts: string[] = []
  let isWhole = true
  let length = 0
  for (const pieces of bodyTexts) {
    let text = ''
    for (const piece of pieces) {
      text += piece
      length += piece.length
      if (length <= most) continue
      isWhole = false
      texts = needles.filter((needle) => text.includes(needle) || texts.some((other) => other.includes(needle)))
      if (texts.length === needles.length) return { texts, isWhole }
      // What may be the beginning of a needle.
      text = text.slice(Math.max(0, text.length - tail))
      length = text.length
    }
    texts.push(text)
  }
  return { texts, isWhole }
}
