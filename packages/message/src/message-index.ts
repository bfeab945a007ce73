import type { MessageIndex } from '@pennypost/model'
import { type Address, mailboxesOf } from './address.ts'
import { baseSubject } from './base-subject.ts'
import { parseDate } from './date.ts'
import { decodeWords } from './encoded-words.ts'
import { envelopeFieldsOf, envelopeText } from './envelope.ts'
import { type HeaderSection, parseHeader, valuesOf } from './fields.ts'
import { foldText } from './fold.ts'
import { messageIdOf, messageIds } from './message-id.ts'
import { parameterOf } from './parameters.ts'
import type { Part } from './part.ts'
import { partsText } from './parts.ts'
import type { PreviewCapture } from './preview.ts'
import { structureText } from './structure.ts'

/** A header section as readers get it, where it is not the one that came. */
export interface Rendering {
  header: Buffer
}

/** What the scan of a message found. Sizes in octets. */
export interface ScannedMessage {
  /** The header section as it came, with its empty line if it had one. */
  header: Buffer
  headerSize: number
  size: number
  bodySize: number
  /** The header section was larger than `ScanLimits.headerSize`; what is beyond counts as body. */
  headerTooLarge: boolean
  /** A limit on parts was reached: what lies beyond it is one opaque part. */
  structureCut: boolean
  /** Octets above 127 in the body. */
  eightBitBody: boolean
  /** The message does not end in CRLF. */
  openEnd: boolean
  /** What is stored with the message; ENVELOPE and everything else from the header is of the rendering. */
  index(rendering?: Rendering): MessageIndex
}

export type ScanFacts = Omit<ScannedMessage, 'index'> & { root: Part }

/** Makes the index of a scanned message. */
export function buildIndex(facts: ScanFacts, preview: PreviewCapture, rendering: Rendering | undefined): MessageIndex {
  const section = parseHeader(rendering?.header ?? facts.header)
  const charset = section.ascii ? '' : declaredCharset(facts.root)
  const envelope = envelopeFieldsOf(section, charset)
  const subject = baseSubject(envelope.subject ?? '')
  const sent = envelope.date === undefined ? undefined : parseDate(envelope.date)
  return {
    envelope: envelopeText(envelope),
    structure: structureText(facts.root),
    parts: partsText(facts.root),
    bodySize: facts.bodySize,
    utf8Header: !section.ascii,
    eightBitBody: facts.eightBitBody,
    openEnd: facts.bodySize === 0 && rendering ? !endsLine(rendering.header) : facts.openEnd,
    baseSubject: sortText(subject.text),
    replyOrForward: subject.replyOrForward,
    sortFrom: sortMailbox(envelope.from),
    sortTo: sortMailbox(envelope.to),
    sortCc: sortMailbox(envelope.cc),
    displayFrom: sortName(envelope.from),
    displayTo: sortName(envelope.to),
    sentAt: sent?.at ?? null,
    sentDay: sent?.day ?? null,
    messageIdHeader: messageIdOf(envelope.messageId ?? ''),
    references: referencesOf(section, envelope.inReplyTo),
    preview: preview.text(),
  }
}

/** Whether the last octets are CRLF; of nothing they need not be. */
export function endsLine(octets: Buffer): boolean {
  return octets.length === 0 || (octets.at(-1) === 10 && octets.at(-2) === 13)
}

/** The charset that the message's first text part declares: its best guess for octets above 127 in the header. */
function declaredCharset(part: Part): string {
  for (let inner: Part | undefined = part; inner; inner = inner.children[0]) {
    if (inner.kind === 'text') return parameterOf(inner.mime.parameters, 'charset') ?? ''
  }
  return ''
}

/** RFC 5256 §3: the addr-mailbox of the first address ('' without one), a group's name for a group. */
function sortMailbox([first]: readonly Address[]): string {
  return sortText(first?.mailbox ?? '')
}

/** RFC 5957 §3.1: the decoded display name of the first address, or else the address itself. */
function sortName([first]: readonly Address[]): string {
  if (first === undefined) return ''
  return sortText(
    first.name ? decodeWords(first.name.slice(0, maxName)) : (mailboxesOf([first])[0] ?? first.mailbox ?? ''),
  )
}

/** Of a display name as it is written; in encoded words it is several times as long as what it says. */
const maxName = 8192

function sortText(text: string): string {
  return foldText(text.slice(0, 1024)).slice(0, 256)
}

/** RFC 5256 §3: References, or else the first id of In-Reply-To. */
function referencesOf(section: HeaderSection, inReplyTo: string | undefined): readonly string[] {
  const [references] = valuesOf(section, 'references')
  const ids = references === undefined ? [] : messageIds(references)
  return ids.length > 0 || inReplyTo === undefined ? ids : messageIds(inReplyTo).slice(0, 1)
}
