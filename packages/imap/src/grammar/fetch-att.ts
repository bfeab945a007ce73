import type { FetchItem } from '../fetch/fetch-item.ts'
import { fetchMacros } from '../fetch/items.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** `"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"` (RFC 9051 §9); each item once. */
export function fetchAtts(cursor: Cursor, session: Session): FetchItem[] {
  const items: FetchItem[] = []
  const keys = new Set<string>()
  const add = (item: FetchItem): void => {
    if (keys.has(item.key)) return
    keys.add(item.key)
    items.push(item)
  }
  if (cursor.peek() === '(') {
    cursor.someOf('Fetch item', () => add(fetchAtt(cursor, session)), session.service.limits.fetchItems)
    return items
  }
  const macro = fetchMacros[cursor.peekWord()]
  if (!macro) return [fetchAtt(cursor, session)]
  cursor.word()
  return [...macro]
}

/** `fetch-att`: its name up to a bracket, then what its kind reads. */
function fetchAtt(cursor: Cursor, session: Session): FetchItem {
  const name = cursor.match(/[A-Za-z0-9.]+/y)?.[0].toUpperCase()
  if (name === undefined) throw bad('Fetch item expected')
  const kind = session.service.registry.fetchItems.get(name)
  if (!kind) throw bad(`Unknown fetch item ${name.slice(0, 40)}`)
  return kind.parse(cursor, session, name)
}
