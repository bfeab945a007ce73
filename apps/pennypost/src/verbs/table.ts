/** Tables for people: columns that align, whatever is in them. */
export interface Column<Row> {
  title: string
  value(row: Row): string | number
  /** Numbers stand right. */
  right?: boolean
}

/** The lines of a table, its titles first; `empty` alone when there are no rows. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): string {
  if (rows.length === 0) return `${empty}\n`
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => clean(value(row))))]
  const widths = columns.map((_, index) =>
    cells.reduce((widest, line) => Math.max(widest, width(line[index] as string)), 0),
  )
  return cells
    .map((line) => {
      const padded = line.map((cell, index) => {
        // Of an alias with very many targets, all others would get as many blanks.
        if (index === line.length - 1 && !columns[index]?.right) return cell
        const space = ' '.repeat((widths[index] as number) - width(cell))
        return columns[index]?.right ? space + cell : cell + space
      })
      return `${padded.join('  ').trimEnd()}\n`
    })
    .join('')
}

/** What others wrote (names, replies of servers) never moves the cursor, nor turns round what is read. */
export function clean(value: string | number): string {
  return String(value).replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** JSON for programs, of which no more reaches a terminal than letters: the rest is escaped. */
export function jsonOf(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Columns of a terminal that a text takes: combining marks none, East Asian wide characters and emoji two. */
export function width(text: string): number {
  let columns = 0
  for (const character of text.normalize('NFC')) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1
  }
  return columns
}

/** `1.2 MB`, `63 B`; 0 is `0`. */
export function formatSize(octets: number): string {
  if (octets === 0) return '0'
  const units = [' B', ' KB', ' MB', ' GB', ' TB']
  let value = octets
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${units[unit]}`
}

/** `2026-05-01 12:00:07Z`. */
export function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** The two largest units of a duration: `3 d 4 h`, `5 min`, `12 s`. */
export function formatDuration(durationMs: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const
  let rest = Math.max(0, Math.round(durationMs / 1000))
  const parts: string[] = []
  for (const [unit, seconds] of units) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0) parts.push(`${count} ${unit}`)
    if (parts.length === 2) break
  }
  return parts.join(' ') || '0 s'
}

/** `1 message`, `2 messages`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

export const were = (count: number): string => (count === 1 ? 'was' : 'were')

/** Addresses of ours that nobody has. Not refused: what leads to them and what they are may be made in any order. */
export const nobody = ({ unknownTargets }: { unknownTargets: readonly string[] }): string =>
  unknownTargets.map((address) => `Nobody has the address ${address} yet.\n`).join('')
