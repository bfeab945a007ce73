/** FETCH and UID FETCH: parsing and completion; what is said for each message is `fetch/run-fetch.ts`. */

import { bothForms, type Completion, whenSelected } from '../command.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { uidItem } from '../fetch/items.ts'
import { type FetchExtra, runFetch } from '../fetch/run-fetch.ts'
import { fetchAtts } from '../grammar/fetch-att.ts'
import { distinctNames } from '../grammar/known-names.ts'
import { type By, type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

interface Args {
  set: SequenceSet
  items: FetchItem[]
  extra: FetchExtra | undefined
}

/** `"FETCH" SP sequence-set SP (…fetch-att…) [SP "(" fetch-modifier *(SP fetch-modifier) ")"]` */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  const set = sequenceSet(cursor)
  cursor.sp()
  const items = fetchAtts(cursor, session)
  return { set, items, extra: cursor.skip(' ') ? fetchModifiers(cursor, session) : undefined }
}

function fetchModifiers(cursor: Cursor, session: Session): FetchExtra {
  const extra: FetchExtra = {}
  distinctNames(cursor, session, 'Modifier', session.service.registry.fetchModifiers, (kind) =>
    Object.assign(extra, kind.parse(cursor, session)),
  )
  return extra
}

async function run(session: Session, { set, items, extra }: Args, by: By): Promise<Completion | undefined> {
  if (extra?.before) await extra.before({ session, set, by, changedSince: extra.changedSince })
  const named = session.selected.select(set, by)
  const uids = extra?.narrow?.(session.selected, named, by) ?? named
  const wanted = by === 'uid' && !items.includes(uidItem) ? [uidItem, ...items] : [...items]
  for (const item of extra?.items ?? []) if (!wanted.includes(item)) wanted.push(item)
  const { complete, refusal } = await runFetch(session, uids, wanted, extra)
  if (refusal) throw refusal
  // RFC 2180 §4.1.2: what there is has been told; RFC 5530 names the cause.
  return complete ? undefined : { code: 'EXPUNGEISSUED', text: 'Some of the messages are gone' }
}

export const [fetch, uidFetch] = bothForms({
  name: 'FETCH',
  rfc: 'RFC 9051 §6.4.5',
  states: whenSelected,
  effects: { numbers: true },
  parse,
  run,
})
