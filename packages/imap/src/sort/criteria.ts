import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import type { SortCriterion } from './sort-key.ts'

/** `sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"` (RFC 5256 §5) */
export function sortCriteria(cursor: Cursor, session: Session): SortCriterion[] {
  const { registry, limits } = session.service
  const criteria: SortCriterion[] = []
  cursor.someOf(
    'Sort key',
    () => {
      let name = cursor.word('Sort key')
      const reverse = name === 'REVERSE'
      if (reverse) {
        cursor.sp()
        name = cursor.word('Sort key')
      }
      const key = registry.sortKeys.get(name)
      if (!key) throw bad(`Unknown sort key ${name.slice(0, 40)}`)
      criteria.push({ key, reverse })
    },
    limits.parameters,
  )
  return criteria
}
