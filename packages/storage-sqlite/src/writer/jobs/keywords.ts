import { bitsOf, firstKeywordBit, isKeyword, maxKeywords, StoreError, systemFlag } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import type { MailboxState } from './mailbox-rows.ts'

/**
 * The bits of these flags in this mailbox. A new keyword is given a place: behind the others, or else the first one
 * whose keyword no message bears. One that finds none is left out: no letter is refused for a label.
 */
export function flagBits(context: WriterContext, mailbox: MailboxState, flags: readonly string[]): number {
  if (flags.length === 0) return 0
  makePlaces(context, mailbox, flags)
  return bitsOf(flags, mailbox.keywords)
}

/** For STORE, which has to say so when a keyword finds no place: rejects with `limit`. */
export function requirePlaces(context: WriterContext, mailbox: MailboxState, flags: readonly string[]): void {
  if (makePlaces(context, mailbox, flags) > 0) {
    throw new StoreError('limit', `a mailbox has at most ${maxKeywords} different keywords`)
  }
}

/** Gives how many found no place. */
function makePlaces(context: WriterContext, mailbox: MailboxState, flags: readonly string[]): number {
  const { keywords } = mailbox
  const known = new Set(keywords.map(folded))
  const wanted = new Set(flags.map(folded))
  let free: number[] | undefined
  let left = 0
  for (const flag of flags) {
    if (systemFlag(flag) || !isKeyword(flag) || known.has(folded(flag))) continue
    if (keywords.length < maxKeywords) keywords.push(flag)
    else {
      free ??= unborne(context, mailbox).filter((place) => !wanted.has(folded(keywords[place] as string)))
      const place = free.shift()
      if (place === undefined) left++
      else keywords[place] = flag
    }
    known.add(folded(flag))
  }
  return left
}

/** Places whose keyword no message bears. Few different combinations are in use, whatever the number of messages. */
function unborne(context: WriterContext, mailbox: MailboxState): number[] {
  const used = context
    .pluck(`SELECT DISTINCT flags >> ${firstKeywordBit} FROM marks WHERE mailbox = ?`)
    .all(mailbox.id) as number[]
  const isBorne = (place: number) => used.some((bits) => Math.floor(bits / 2 ** place) % 2 === 1)
  return mailbox.keywords.map((_, place) => place).filter((place) => !isBorne(place))
}

function folded(keyword: string): string {
  return keyword.toLowerCase()
}
