import { downgradeHeader, partAt } from '@pennypost/message'
import type { FetchedMessage, FetchNeed } from '@pennypost/model'
import type { Section } from '../grammar/section.ts'
import type { Session } from '../session/session.ts'
import { Octets, type Stretch } from './octets.ts'

/**
 * From a section to its octets (RFC 9051 §6.4.5.1): by the offsets that were computed at arrival, never by parsing the
 * message again. `null` where the message has no such part: the response is NIL.
 */
export function sectionOctets(
  session: Session,
  row: FetchedMessage,
  section: Section,
): Octets | null | Promise<Octets | null> {
  const header = () => shownHeader(session, row)
  if (section.part.length === 0) {
    switch (section.text) {
      case 'ALL':
        return new Octets(row.message, [header(), bodyStretch(row, 0, bodySize(row))])
      case 'TEXT':
        return new Octets(row.message, [bodyStretch(row, 0, bodySize(row))])
      case 'HEADER':
        return new Octets(row.message, [header()])
      default:
        return new Octets(row.message, chosenFields(header(), section))
    }
  }
  const part = partAt(row.index?.parts ?? '', section.part.join('.'))
  const range = part?.[rangeNames[section.text]]
  if (!range) {
    // The only part of a message that is no multipart has the message's own header as its MIME header.
    return part && section.text === 'MIME' ? new Octets(row.message, [header()]) : null
  }
  const octets = new Octets(row.message, [bodyStretch(row, range.start, range.end)])
  if (section.fields.length === 0) return octets
  if (octets.isHere) return new Octets(row.message, chosenFields(octets.stretches[0] as Buffer | string, section))
  const { mail } = session.service
  return octets.collect(mail).then((inner) => new Octets(row.message, chosenFields(inner, section)))
}

/** Where a part has what a section names. */
const rangeNames = {
  ALL: 'body',
  MIME: 'mime',
  TEXT: 'text',
  HEADER: 'header',
  'HEADER.FIELDS': 'header',
  'HEADER.FIELDS.NOT': 'header',
} as const

/** What must be read of the store to answer for this section. */
export function needOf(section: Section): FetchNeed {
  const need: FetchNeed = { headerText: true }
  if (section.part.length > 0) need.index = ['parts']
  if (readsText(section)) need.body = true
  return need
}

/** Whether it says more of the message than its header does. */
export function readsText({ part, text }: Section): boolean {
  return part.length > 0 || text === 'ALL' || text === 'TEXT'
}

/** The header section as this session may see it: others than UTF-8 readers get a surrogate (RFC 6858 §2). */
function shownHeader(session: Session, row: FetchedMessage): Buffer | string {
  if (row.headerText !== undefined) return row.headerText
  const header = row.header ?? nothing
  if (session.utf8Messages) return header
  const known = downgraded.get(header)
  if (known) return known
  const shown = downgradeHeader(header)
  downgraded.set(header, shown)
  return shown
}

/** By the header of a row: a command asks for it more than once, and many items may show it. */
const downgraded = new WeakMap<Buffer, Buffer>()

function bodySize(row: FetchedMessage): number {
  return row.size - (row.headerText ?? row.header ?? '').length
}

/** A range of the body, kept inside it whatever the index says. */
export function bodyStretch(row: FetchedMessage, start: number, end: number): Stretch {
  if (row.body) return row.body.subarray(start, end)
  const size = bodySize(row)
  return { start: Math.min(start, size), end: Math.min(end, size) }
}

function chosenFields(header: Buffer | string, { choice }: Section): Stretch[] {
  if (!choice) throw new Error('the section names no fields')
  return [typeof header === 'string' ? choice.ofText(header) : choice.of(header)]
}

const nothing = Buffer.alloc(0)
