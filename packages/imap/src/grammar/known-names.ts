import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * Names in parentheses, at least one, of things that extensions add (modifiers, parameters, items): `take` gets each as the
 * table has it and reads its arguments. BAD for a name that the table has not.
 *
 * @param what what one of them is called, in an error
 */
export function knownNames<Kind>(
  cursor: Cursor,
  session: Session,
  what: string,
  table: ReadonlyMap<string, Kind>,
  take: (kind: Kind) => void,
): void {
  cursor.someOf(
    what,
    () => {
      const name = cursor.word(what)
      const kind = table.get(name)
      if (!kind) throw bad(`Unknown ${what.toLowerCase()} ${name.slice(0, 40)}`)
      take(kind)
    },
    session.service.limits.parameters,
  )
}

/** The same of what there can be only one each: modifiers and parameters, of which a second would contradict the first. */
export function distinctNames<Kind>(
  cursor: Cursor,
  session: Session,
  what: string,
  table: ReadonlyMap<string, Kind>,
  take: (kind: Kind) => void,
): void {
  const taken = new Set<Kind>()
  knownNames(cursor, session, what, table, (kind) => {
    if (taken.has(kind)) throw bad(`A ${what.toLowerCase()} is repeated`)
    taken.add(kind)
    take(kind)
  })
}
