/** What URLFETCH says of one URL: the octets, or in the extended form the items that were asked for (RFC 5524 §3). */
import { decodedStructure, partStructure } from '@pennypost/message'
import type { FetchedMessage, MailStore } from '@pennypost/model'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import {
  type Encoded,
  encodedPart,
  type Measured,
  measure,
  type Piece,
  pieceOf,
  writeDecoded,
} from '../fetch/decoded.ts'
import { orWhenGone } from '../fetch/fetch-item.ts'
import { shownStructure } from '../fetch/items.ts'
import type { Octets } from '../fetch/octets.ts'
import { sectionOctets } from '../fetch/sections.ts'
import type { Session } from '../session/session.ts'
import type { Output } from '../wire/output.ts'
import type { MessageUrl } from './message-url.ts'
import { readUrl, rowOfUrl } from './read-url.ts'

/** In the order in which they are answered: what describes the octets before them. */
export const urlItems = ['BODYPARTSTRUCTURE', 'BODY', 'BINARY'] as const
export type UrlItem = (typeof urlItems)[number]

/** Says it, with a space before it. All that may fail was looked at before there was one; what is expunged since is NIL. */
export type UrlAnswer = (out: Output) => void | Promise<void>

/** Undefined where the URL names nothing, or nothing of what is asked for: NIL. Without items: the form of RFC 4467. */
export async function answerOf(
  session: Session,
  found: VisibleMailbox,
  url: MessageUrl,
  items: readonly UrlItem[],
): Promise<UrlAnswer | undefined> {
  if (items.length === 0) {
    const octets = await readUrl(session, found, url)
    return octets && literal(session, octets, '')
  }
  const need = { headerText: true, body: true, index: ['parts', 'structure'] as const }
  const row = await rowOfUrl(session, found, url.uid, need)
  const named = row && (await namedBy(session, row, url))
  if (!named) return undefined
  const { mail } = session.service
  const decodes = items.includes('BINARY') && named.encoding !== 'unknown'
  const piece = pieceOf(session, named, url.partial)
  const measured = decodes ? await measure(mail, piece) : undefined
  const isPart = measured && url.partial && items.includes('BODYPARTSTRUCTURE')
  const whole = isPart ? await measure(mail, pieceOf(session, named, undefined)) : measured
  const answers: UrlAnswer[] = []
  for (const item of items) {
    const answer =
      item === 'BODYPARTSTRUCTURE'
        ? structure(session, row, url, whole)
        : item === 'BODY'
          ? await literal(session, named.octets.slice(url.partial), 'BODY')
          : binary(mail, piece, measured)
    if (answer) answers.push(answer)
  }
  // RFC 5524 §5: one of them or NIL.
  if (answers.length === 0) return undefined
  return async (out) => {
    for (const answer of answers) await answer(out)
  }
}

/** The section, with the encoding of the part that it is. */
async function namedBy(session: Session, row: FetchedMessage, { section }: MessageUrl): Promise<Encoded | undefined> {
  if (section.text === 'ALL') return encodedPart(session, row, section.part) ?? undefined
  const octets = await sectionOctets(session, row, section)
  return octets ? { octets, encoding: '8bit' } : undefined
}

async function literal(session: Session, octets: Octets, name: string): Promise<UrlAnswer> {
  const { mail } = session.service
  await octets.check(mail)
  const [before, behind] = name === '' ? [' ', ''] : [` (${name} `, ')']
  return async (out) => {
    const written = octets.write(out, mail, `${before}{${octets.size}}\r\n`)
    await orWhenGone(written, () => out.text(`${before}NIL`))
    out.text(behind)
  }
}

/** RFC 5524 §3.2: NIL where the encoding is not known, so that nothing was measured. */
function binary(mail: MailStore, piece: Piece, measured: Measured | undefined): UrlAnswer {
  if (!measured) return (out) => out.text(' (BINARY NIL)')
  return async (out) => {
    await orWhenGone(writeDecoded(out, mail, piece, measured, ' (BINARY '), () => out.text(' (BINARY NIL'))
    out.text(')')
  }
}

/** Of whole parts. `decoded`: how the content is as BINARY sends it. */
function structure(
  session: Session,
  { index }: FetchedMessage,
  { section }: MessageUrl,
  decoded: Measured | undefined,
): UrlAnswer | undefined {
  const part = section.text === 'ALL' ? partStructure(index?.structure ?? '', section.part) : undefined
  if (part === undefined) return undefined
  let shown = part
  if (decoded) {
    const { size, lines, hasNul, isAscii } = decoded
    shown = decodedStructure(part, { size, lines, encoding: hasNul ? 'binary' : isAscii ? '7bit' : '8bit' })
  }
  const text = shownStructure(session, shown, 'BODYSTRUCTURE')
  return (out) => out.text(` (BODYPARTSTRUCTURE ${text})`)
}
