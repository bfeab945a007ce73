import { type ModSeq, modSeq } from '@pennypost/model'
import type { Extension } from '../extension.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { bad } from '../refusal.ts'
import { asksAny } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * Conditional STORE: MODSEQ of each message, told with its flags once a command has shown that the client knows of it
 * (RFC 7162 §3.1, "CONDSTORE enabling command").
 */
export function enableCondstore(session: Session): void {
  if (session.enabled.has('CONDSTORE')) return
  session.enabled.add('CONDSTORE')
  sayHighest(session)
}

/** RFC 7162 §3.1.2.1: with SELECT; §3.1.2.2: whoever begins with it in a mailbox must learn where that stands. */
function sayHighest(session: Session): void {
  const { view } = session
  if (view) session.untagged(`OK [HIGHESTMODSEQ ${view.settledModSeq}] Highest`)
}

const modSeqItem: FetchItem = {
  key: 'MODSEQ',
  write: ({ view, out, openIndex }) => out.text(`MODSEQ (${view.saidModSeq(openIndex)})`),
}

/** `mod-sequence-valzer = "0" / mod-sequence-value` */
function modSequence(cursor: Cursor): ModSeq {
  cursor.sp()
  return modSeq(cursor.number64())
}

/** `"MODSEQ" [search-modseq-ext] SP mod-sequence-valzer`; the entry that may be named makes no difference here. */
function searchEntry(cursor: Cursor): void {
  if (!cursor.match(/ (?="\/flags\/)/iy)) return
  cursor.quoted('Entry name')
  cursor.sp()
  const type = cursor.word('Entry type')
  if (!['PRIV', 'SHARED', 'ALL'].includes(type)) throw bad('priv, shared or all expected')
}

export const condstore: Extension = {
  name: 'CONDSTORE',
  rfc: 'RFC 7162',
  capabilities: [{ name: 'CONDSTORE' }],
  enables: [{ name: 'CONDSTORE', apply: sayHighest }],
  fetchItems: [
    {
      name: 'MODSEQ',
      parse(_, session) {
        session.defer(() => enableCondstore(session))
        return modSeqItem
      },
    },
  ],
  fetchModifiers: [
    {
      name: 'CHANGEDSINCE',
      parse(cursor, session) {
        const changedSince = modSequence(cursor)
        session.defer(() => enableCondstore(session))
        return { changedSince, items: [modSeqItem] }
      },
    },
  ],
  storeModifiers: [
    {
      name: 'UNCHANGEDSINCE',
      parse(cursor, session) {
        const unchangedSince = modSequence(cursor)
        session.defer(() => enableCondstore(session))
        return { unchangedSince }
      },
    },
  ],
  searchKeys: [
    {
      name: 'MODSEQ',
      parse(cursor, session) {
        searchEntry(cursor)
        const atLeast = modSequence(cursor)
        session.defer(() => enableCondstore(session))
        return () => ({ key: 'modseq', atLeast })
      },
    },
  ],
  statusItems: [
    {
      name: 'HIGHESTMODSEQ',
      value(session, mailbox) {
        enableCondstore(session)
        const { view } = session
        const selected = view?.open.mailbox.id === mailbox.id
        return selected ? Math.min(mailbox.highestModSeq, view.settledModSeq) : mailbox.highestModSeq
      },
    },
  ],
  selectParameters: [{ name: 'CONDSTORE', parse: () => (session) => void session.enabled.add('CONDSTORE') }],
  onSelect: sayHighest,
  onFlagsTold(session, view, openIndex) {
    return session.enabled.has('CONDSTORE') ? `MODSEQ (${view.saidModSeq(openIndex)})` : undefined
  },
  /** RFC 7162 §3.1.5: only for searches by MODSEQ. */
  onFound(session, { query, uids, view = session.selected }) {
    if (!asksAny(query(), ({ key }) => key === 'modseq')) return undefined
    const { open } = view
    let highest = 0
    for (const uid of uids) {
      const index = open.indexOf(uid)
      if (index >= 0) highest = Math.max(highest, open.modSeqs[index] as number)
    }
    return highest > 0 ? `MODSEQ ${highest}` : undefined
  },
}
