import type { ReservedRoom, StagedContent } from '@pennypost/model'
import { selectedRights } from '../access/acting.ts'
import { stagedMessage } from '../append/binary-message.ts'
import { tooBig } from '../append/bounds.ts'
import type { LiteralSink, StreamedLiteral } from '../command.ts'
import { utf8Literal } from '../commands/append.ts'
import type { Extension } from '../extension.ts'
import type { Octets } from '../fetch/octets.ts'
import { bad, type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { relativeUrl } from '../urls/message-url.ts'
import { mailboxOf, readUrl } from '../urls/read-url.ts'
import type { Cursor, Unit } from '../wire/cursor.ts'
import { printQuoted } from '../wire/strings.ts'

/**
 * Messages put together out of new text and parts of the account's own messages (RFC 4469): a draft gets another text
 * without its attachments being sent again. Text is staged as it comes, parts are read when the command runs; nothing
 * is whole in memory.
 */
type Part = { text: StagedText; binary: boolean } | { url: string }

/** A literal behind TEXT or UTF8. */
class StagedText implements StreamedLiteral {
  readonly held = 0
  readonly content: StagedContent

  constructor(content: StagedContent) {
    this.content = content
  }

  get size(): number {
    return this.content.size
  }

  discard(): void {
    this.content.discard().catch(() => {})
  }
}

function textSink(session: Session, room: ReservedRoom): LiteralSink {
  const stage = session.service.mail.stage(room)
  return {
    write: (octets) => stage.write(octets),
    finish: async () => new StagedText(await stage.finish()),
    discard: () => void stage.discard().catch(() => {}),
  }
}

/**
 * `SP "(" cat-part *(SP cat-part) ")"`, `cat-part = "TEXT" SP literal / "URL" SP astring / utf8-literal`, the last of
 * them by RFC 6855 §4.
 */
function parts(cursor: Cursor, session: Session): Part[] {
  const found: Part[] = []
  cursor.sp()
  cursor.someOf(
    'TEXT or URL',
    () => {
      const kind = cursor.word('TEXT or URL')
      if (kind !== 'UTF8') cursor.sp()
      if (kind === 'URL') found.push({ url: cursor.astring('URL') })
      else if (kind === 'TEXT' || kind === 'UTF8') {
        const { streamed, binary } = kind === 'UTF8' ? utf8Literal(cursor, session) : cursor.literal()
        if (!(streamed instanceof StagedText)) throw bad(`A literal is expected behind ${kind}`)
        found.push({ text: streamed, binary })
      } else throw bad('TEXT or URL expected')
    },
    session.service.limits.parameters,
  )
  return found
}

/** The parts of one message, read when the command runs. */
async function* octetsOfAll(session: Session, parts: readonly Part[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if ('text' in part) yield* part.text.content.read()
    else yield* (await octetsOf(session, part.url)).chunks(session.service.mail)
  }
}

/** RFC 4469 §4.1; a URL that a response code cannot hold is left out. */
function badUrl(url: string): ImapRefusal {
  const said = /^[ -Z^-~[]{1,1000}$/.test(url) ? url : ''
  return no(`BADURL ${printQuoted(said)}`, 'There is no such message or part')
}

async function octetsOf(session: Session, url: string): Promise<Octets> {
  const asked = relativeUrl(url)
  // The right to read it may have been taken away since it was selected.
  const selected = session.view && (await selectedRights(session)).includes('r') ? session.view : undefined
  const found = asked && (await mailboxOf(session, asked, selected?.open.mailbox.id))
  const octets = found && (await readUrl(session, found, asked))
  if (!octets) throw badUrl(url)
  return octets
}

export const catenate: Extension = {
  name: 'CATENATE',
  rfc: 'RFC 4469',
  capabilities: [{ name: 'CATENATE' }],
  appendData: [
    {
      name: 'CATENATE',
      parse(cursor, session) {
        const found = parts(cursor, session)
        const isBinary = found.some((part) => 'text' in part && part.binary)
        return (session) => stagedMessage(session, octetsOfAll(session, found), isBinary)
      },
      holds: (session, unit) => listOf(unit, session.service.limits.parameters, /[ (]URL $/i) >= 0,
      literal(session, unit, offer, room) {
        const first = listOf(unit, session.service.limits.parameters, /(?:TEXT |UTF8 \()$/i)
        if (first < 0 || !isText(unit, first)) return undefined
        const limit = session.service.limits.message
        let size = offer.size
        for (const { streamed } of unit.literals.slice(first)) {
          if (streamed instanceof StagedText) size += streamed.size
        }
        if (limit > 0 && size > limit) throw tooBig(limit)
        return textSink(session, room)
      },
    },
  ],
}

const list = / CATENATE \(/gi

/**
 * The line in which the last list of parts begins, of which the last line is one; -1 where there is none. No list has more
 * than `most` literals, and only so far back is looked: there may be thousands, and each asks.
 * @param before what stands right before the literal
 */
function listOf({ lines }: Unit, most: number, before: RegExp): number {
  if (!before.test(lines.at(-1) ?? '')) return -1
  for (let at = lines.length - 1; at >= Math.max(0, lines.length - most); at--) {
    if ((lines[at] as string).search(list) >= 0) return at
  }
  return -1
}

/**
 * The literal that the last line announces stands behind TEXT or UTF8 in the list that begins in the line `first`; UTF8
 * outside of one is a message of its own. Were it not so, parsing would tell.
 */
function isText({ lines }: Unit, first: number): boolean {
  if (!lines.at(-1)?.endsWith('(')) return true
  const text = lines.slice(first).join('\n')
  const last = [...text.matchAll(list)].at(-1) as RegExpExecArray
  // The end of a string is not insisted on, so that many beginnings without one are looked at once.
  const parts = text.slice(last.index + last[0].length).replace(/"(?:\\.|[^"\\])*"?/g, '')
  return parts.split('(').length > parts.split(')').length
}
