import { decodeWords } from './encoded-words.ts'

/** RFC 5256 §2.1: the subject that a thread has in common, and whether anything said "reply" or "forward". */
export interface BaseSubject {
  text: string
  replyOrForward: boolean
}

/** What is looked at; longer subjects are cut, so that no subject costs more than a few passes. */
const maxSubject = 2000
/** Of it as it is written: in encoded words it is several times as long as what it says. */
const maxWritten = 16_000

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":", behind any number of subj-blob
const leader = /^(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:/i
const blob = /^\[[^[\]]*\] */
const trailer = /(?:\(fwd\)| )$/i
const forwarded = /^\[fwd:(.*)\]$/i

/** The base subject of an unfolded Subject value. Not folded for comparison. */
export function baseSubject(subject: string): BaseSubject {
  let text = decodeWords(subject.slice(0, maxWritten)).slice(0, maxSubject).replace(/\s+/g, ' ')
  let replyOrForward = false
  for (;;) {
    while (trailer.test(text)) {
      if (!text.endsWith(' ')) replyOrForward = true
      text = text.slice(0, text.endsWith(' ') ? -1 : -5)
    }
    for (;;) {
      text = text.trimStart()
      const found = leader.exec(text)
      if (found) {
        replyOrForward = true
        text = text.slice(found[0].length)
        continue
      }
      const without = text.replace(blob, '')
      if (without === text || without === '') break
      text = without
    }
    const inner = forwarded.exec(text)?.[1]
    if (inner === undefined) return { text, replyOrForward }
    replyOrForward = true
    text = inner
  }
}
