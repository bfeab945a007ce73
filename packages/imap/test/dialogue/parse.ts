/**
 * Dialogue files: what clients send and what they must be told, as text. One scenario a file.
 *
 *     # what it shows
 *     @ message INBOX (\Seen) simple      set up, before or between; see player.ts for the words
 *     C: a1 SELECT INBOX                  client 1 sends a line; `C2:` is a second connection, and so on
 *     S: * 2 EXISTS                       the server says exactly this next
 *     S*: * FLAGS ($...)                  a run of `S*:` lines may come in any order
 *     C: a2 APPEND INBOX {*}              the size of the block of `|` lines that follows
 *     S: + $...
 *     | Subject: x                        a line of a literal, with CRLF; `|~` is one without
 *     C:                                  the rest of the command
 *     S: * 1 FETCH (BODY[] {*}            a literal in a response likewise, and then the rest of the response
 *     S: <closed>                         the server has ended the connection
 *
 * `$name` stands for a word and must be the same everywhere, in what is sent too; `$_` for any word, `$...` for anything. `\xNN` is an octet.
 */
export type Step =
  | { kind: 'setup'; line: number; words: string }
  | { kind: 'send'; line: number; client: number; octets: Buffer }
  | { kind: 'expect'; line: number; client: number; texts: string[] }

export interface Dialogue {
  title: string
  steps: Step[]
}

const linePattern = /^([CS])(\d*)(\*?):(?: (.*))?$/

export function parseDialogue(text: string): Dialogue {
  const lines = text.split('\n')
  const title = lines.find((line) => line.startsWith('# '))?.slice(2) ?? 'dialogue'
  const steps: Step[] = []
  let index = 0
  let client = 1

  /** The block of `|` lines from `at` on. */
  function block(at: number): { octets: string; end: number } {
    let gathered = ''
    for (; at < lines.length && /^\|/.test(lines[at] as string); at++) {
      const line = lines[at] as string
      gathered += line.startsWith('|~')
        ? octetText(line.slice(2).replace(/^ /, ''))
        : `${octetText(line.replace(/^\| ?/, ''))}\r\n`
    }
    return { octets: gathered, end: at }
  }

  function sized(text: string, at: number): string {
    return text.replace(/\{\*(\+?)\}$/, (_, plus: string) => {
      let next = at
      while (next < lines.length && !/^\|/.test(lines[next] as string)) next++
      return `{${block(next).octets.length}${plus}}`
    })
  }

  while (index < lines.length) {
    const line = lines[index] as string
    const number = index + 1
    const match = linePattern.exec(line)
    if (line.trim() === '' || line.startsWith('#')) index++
    else if (line.startsWith('@ ')) {
      steps.push({ kind: 'setup', line: number, words: line.slice(2).trim() })
      index++
    } else if (line.startsWith('|')) {
      const { octets, end } = block(index)
      steps.push({ kind: 'send', line: number, client, octets: Buffer.from(octets, 'latin1') })
      index = end
    } else if (match?.[1] === 'C') {
      client = Number(match[2] || 1)
      const sent = `${sized(octetText(match[4] ?? ''), index + 1)}\r\n`
      steps.push({ kind: 'send', line: number, client, octets: Buffer.from(sent, 'latin1') })
      index++
    } else if (match) {
      client = Number(match[2] || 1)
      const texts: string[] = []
      const any = match[3] === '*'
      for (;;) {
        const next = linePattern.exec(lines[index] ?? '')
        if (next?.[1] !== 'S' || Number(next[2] || 1) !== client || (next[3] === '*') !== any) break
        let text = octetText(next[4] ?? '')
        index++
        while (/\{\*\}$/.test(text)) {
          const { octets, end } = block(index)
          const rest = linePattern.exec(lines[end] ?? '')
          text = `${text.replace(/\{\*\}$/, `{${octets.length}}`)}\r\n${octets}${octetText(rest?.[4] ?? '')}`
          index = end + 1
        }
        texts.push(text)
        if (!any) break
      }
      steps.push({ kind: 'expect', line: number, client, texts })
    } else throw new Error(`line ${number}: ${line}`)
  }
  return { title, steps }
}

/** Characters beyond ASCII stand for their UTF-8 octets, `\xNN` for one octet. */
function octetText(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** What an expected text matches; names bound before must be the same again. */
export function matcher(expected: string, bound: ReadonlyMap<string, string>): RegExp {
  const seen = new Map<string, string>()
  const source = expected
    .split(/(\$\.\.\.|\$[A-Za-z_][A-Za-z0-9_]*)/)
    .map((piece) => {
      if (piece === '$...') return '[^]*'
      if (piece === '$_') return '[^\\s()\\[\\]]+'
      if (!/^\$[A-Za-z]/.test(piece)) return escapeRegExp(piece)
      const name = piece.slice(1)
      const known = bound.get(name)
      if (known !== undefined) return escapeRegExp(known)
      const group = seen.get(name)
      if (group) return `\\k<${group}>`
      seen.set(name, `${name}`)
      return `(?<${name}>[^\\s()\\[\\]]+)`
    })
    .join('')
  return new RegExp(`^${source}$`)
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
