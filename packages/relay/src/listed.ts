/** The records of an answer as a line of the journey: whoever writes a zone does not say how long that gets. Pure. */

/** Records that are named; of a name no more than DNS has. */
const namedMax = 20
const charactersMax = 255

/** `a, b, and 3 more`. */
export function listed(records: readonly string[]): string {
  const named = records.slice(0, namedMax).map((record) => record.slice(0, charactersMax))
  const others = records.length - named.length
  return `${named.join(', ')}${others > 0 ? `, and ${others} more` : ''}`
}
