/**
 * Finds the line on which a key of a TOML document stands. The parser gives values without positions; an error message
 * without a line sends people searching. Knows tables, arrays of tables, dotted and bare keys, as configurations use.
 * Of a key that stands on no line of its own, `x` of `[[x]]`, it is the first below it.
 */
export function lineOfKey(document: string, path: readonly (string | number)[]): number | undefined {
  const wanted = path.join('.')
  let table = ''
  let below: number | undefined
  let best: { line: number; length: number } | undefined
  const seen = new Map<string, number>()
  for (const [index, text] of document.split('\n').entries()) {
    const line = text.trim()
    const many = /^\[\[([^\]]+)\]\]/.exec(line)
    const one = many ? null : /^\[([^\]]+)\]/.exec(line)
    if (many) {
      const name = keyName(many[1] as string)
      const at = seen.get(name) ?? 0
      seen.set(name, at + 1)
      table = `${name}.${at}`
    } else if (one) table = keyName(one[1] as string)
    const assignment = /^([A-Za-z0-9_."'-]+)\s*=/.exec(line)
    const key = assignment ? keyName(assignment[1] as string) : many || one ? '' : undefined
    if (key === undefined) continue
    const full = [table, key].filter((part) => part !== '').join('.')
    if (full.startsWith(`${wanted}.`)) below ??= index + 1
    const covers = wanted === full || wanted.startsWith(`${full}.`)
    if (covers && full.length >= (best?.length ?? 0)) best = { line: index + 1, length: full.length }
  }
  return best?.line ?? below
}

const keyName = (text: string): string => text.replace(/["'\s]/g, '')
