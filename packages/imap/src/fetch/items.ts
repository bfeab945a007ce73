import { downgradeEnvelope, downgradeStructure, structureFor } from '@pennypost/message'
import type { FetchItemKind } from '../extension.ts'
import { printDateTime } from '../grammar/date.ts'
import { type Partial, partial, printSection, type Section, section } from '../grammar/section.ts'
import type { Session } from '../session/session.ts'
import { flagsText, flagsItem as toldFlags } from '../session/tell-changes.ts'
import type { Cursor } from '../wire/cursor.ts'
import { type FetchItem, orNil, rowOf } from './fetch-item.ts'
import { needOf, readsText, sectionOctets } from './sections.ts'

/** The fetch attributes of RFC 9051 §6.4.5 and, for IMAP4rev1, those of RFC 3501 §6.4.5 that it dropped. */

export const uidItem: FetchItem = {
  key: 'UID',
  write: ({ out, uid }) => out.text(`UID ${uid}`),
}

const flagsItem: FetchItem = {
  key: 'FLAGS',
  write({ session, view, out, openIndex }) {
    out.text(`FLAGS (${flagsText(session, view, openIndex)})`)
    // Who keeps MODSEQs must learn the new one too: unless it is in the same response, the change is told once more.
    if (!session.enabled.has('CONDSTORE')) view.markTold(openIndex)
  },
}

/** As `FLAGS`, with what extensions say beside changed flags. */
export const changedFlags: FetchItem = {
  key: 'FLAGS',
  write({ session, view, out, openIndex }) {
    out.text(toldFlags(session, view, openIndex))
    view.markTold(openIndex)
  },
}

const internalDate: FetchItem = {
  key: 'INTERNALDATE',
  need: {},
  write: (target) => target.out.text(`INTERNALDATE "${printDateTime(rowOf(target).internalDate)}"`),
}

const size: FetchItem = {
  key: 'RFC822.SIZE',
  need: {},
  write: (target) => target.out.text(`RFC822.SIZE ${rowOf(target).size}`),
}

const envelope: FetchItem = {
  key: 'ENVELOPE',
  need: { index: ['envelope'] },
  write(target) {
    const text = rowOf(target).index?.envelope ?? ''
    target.out.text(`ENVELOPE ${target.session.utf8Messages ? text : downgradeEnvelope(text)}`)
  },
}

/** A stored structure as this session may see it. */
export function shownStructure(session: Session, stored: string, form: 'BODY' | 'BODYSTRUCTURE'): string {
  const text = structureFor(stored, form)
  return session.utf8Messages ? text : downgradeStructure(text, session.rev2)
}

function structure(item: 'BODY' | 'BODYSTRUCTURE'): FetchItem {
  return {
    key: item,
    need: { index: ['structure'] },
    write(target) {
      target.out.text(`${item} ${shownStructure(target.session, rowOf(target).index?.structure ?? '', item)}`)
    },
  }
}

interface Shown {
  label: string
  section: Section
  partial?: Partial | undefined
  peek: boolean
}

/** A section as item: `label {size}` and the octets, or `label NIL`. */
function sectionItem({ label, section, partial, peek }: Shown): FetchItem {
  const name = `${label}${partial ? `<${partial.start}>` : ''}`
  const need = needOf(section)
  return {
    key: `${name}${partial ? partial.size : ''}`,
    need,
    setsSeen: !peek,
    reads: readsText(section),
    prepare(target) {
      const row = rowOf(target)
      if (!need.body || row.body) return
      const octets = sectionOctets(target.session, row, section)
      return Promise.resolve(octets).then((found) => found?.slice(partial).check(target.session.service.mail))
    },
    write(target) {
      const { session, out } = target
      const say = (octets: Awaited<ReturnType<typeof sectionOctets>>): void | Promise<void> => {
        if (!octets) return out.text(`${name} NIL`)
        const part = octets.slice(partial)
        return part.write(out, session.service.mail, `${name} {${part.size}}\r\n`)
      }
      const octets = sectionOctets(session, rowOf(target), section)
      return orNil(target, octets instanceof Promise ? octets.then(say) : say(octets), `${name} NIL`)
    },
  }
}

/** `"BODY" section ["<" number64 "." nz-number64 ">"]`, or BODY alone: the structure without extension data. */
function body(cursor: Cursor, session: Session, name: string): FetchItem {
  if (name === 'BODY' && cursor.peek() !== '[') return structure('BODY')
  const asked = section(cursor, session.service.limits.fetchItems)
  return sectionItem({
    label: `BODY${printSection(asked)}`,
    section: asked,
    partial: partial(cursor),
    peek: name === 'BODY.PEEK',
  })
}

const wholeMessage: Section = { part: [], text: 'ALL', fields: [] }
const rfc822 = sectionItem({ label: 'RFC822', section: wholeMessage, peek: false })
const rfc822Header = sectionItem({ label: 'RFC822.HEADER', section: { ...wholeMessage, text: 'HEADER' }, peek: true })
const rfc822Text = sectionItem({ label: 'RFC822.TEXT', section: { ...wholeMessage, text: 'TEXT' }, peek: false })

const fixed = [
  uidItem,
  flagsItem,
  internalDate,
  size,
  envelope,
  structure('BODYSTRUCTURE'),
  rfc822,
  rfc822Header,
  rfc822Text,
]

export const baseFetchItems: readonly FetchItemKind[] = [
  ...fixed.map((item) => ({ name: item.key, parse: () => item })),
  { name: 'BODY', parse: body },
  { name: 'BODY.PEEK', parse: body },
]

/** `"ALL" / "FULL" / "FAST"` (RFC 9051 §6.4.5) */
export const fetchMacros: Readonly<Record<string, readonly FetchItem[]>> = {
  ALL: [flagsItem, internalDate, size, envelope],
  FAST: [flagsItem, internalDate, size],
  FULL: [flagsItem, internalDate, size, envelope, structure('BODY')],
}
