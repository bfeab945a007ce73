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
