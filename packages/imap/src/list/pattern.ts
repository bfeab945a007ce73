import { encodeModifiedUtf7 } from '@pennypost/message'
import { delimiter } from '@pennypost/model'
import { isAscii } from '../wire/cursor.ts'

/**
 * `list-mailbox` against names (RFC 9051 §6.3.9): `*` is anything, `%` anything but the delimiter. INBOX in any case.
 * In time of pattern times name, whatever the wildcards.
 */
export function createMatcher(patterns: readonly string[]): (name: string) => boolean {
  const compiled = patterns.map((pattern) => compile(pattern))
  return (name) => compiled.some((pattern) => matchesPattern(pattern, name))
}

/**
 * The same for patterns as `listPattern` gives them: without UTF-8 names are held against them as they are spelt, but for
 * patterns that are not in ASCII.
 */
export function nameMatcher(patterns: readonly string[], utf8Names: boolean): (name: string) => boolean {
  if (utf8Names) return createMatcher(patterns)
  const matches = createMatcher(patterns.filter((pattern) => !isAscii(pattern)))
  const matchesSpelt = createMatcher(patterns.filter(isAscii))
  return (name) => matchesSpelt(encodeModifiedUtf7(name)) || matches(name)
}

/** How many names are held against these patterns before others have their turn: fewer for long ones. */
export function namesPerTurn(patterns: readonly string[]): number {
  return Math.ceil(1000 / (1 + patterns.join('').length))
}

/** Runs of wildcards mean what their widest means. */
function compile(pattern: string): string {
  const short = pattern.normalize('NFC').replace(/[*%]+/g, (run) => (run.includes('*') ? '*' : '%'))
  return /^inbox$/i.test(short.split(/[/*%]/, 1)[0] as string) ? `INBOX${short.slice(5)}` : short
}

function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*%]/.test(pattern)) return pattern === name
  const anyCase = name === 'INBOX' || name.startsWith(`INBOX${delimiter}`) ? 'INBOX'.length : 0
  // reach[i]: the pattern up to `at` can have used up the first i characters of the name.
  let reach = new Uint8Array(name.length + 1)
  reach[0] = 1
  for (const char of pattern) {
    const next = new Uint8Array(name.length + 1)
    if (char === '*' || char === '%') {
      let open = 0
      for (let i = 0; i <= name.length; i++) {
        if (reach[i]) open = 1
        next[i] = open
        if (char === '%' && name[i] === delimiter) open = 0
      }
    } else {
      // Of ASCII alone: the dotless i is not the I of INBOX.
      const upper = isAscii(char) ? char.toUpperCase() : char
      for (let i = 0; i + char.length <= name.length; i++) {
        if (reach[i] && name.startsWith(i < anyCase ? upper : char, i)) next[i + char.length] = 1
      }
    }
    reach = next
    if (!reach.includes(1)) return false
  }
  return reach[name.length] === 1
}
