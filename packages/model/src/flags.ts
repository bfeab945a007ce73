/**
 * Flags as engines keep them and sessions share them: one number per message. The low 8 bits are system flags, bit
 * 8 + n is the n-th keyword of the mailbox (`Mailbox.keywords`). Below 2⁵³, so that doubles hold them exactly; bitwise
 * operators of JavaScript see only the low 32 bits, hence the functions here.
 */
export type FlagBits = number

export const systemFlags = {
  '\\Answered': 1,
  '\\Flagged': 2,
  '\\Deleted': 4,
  '\\Seen': 8,
  '\\Draft': 16,
} as const

export type SystemFlag = keyof typeof systemFlags

/** A system flag in its canonical spelling, or a keyword as first spelt in the mailbox. */
export type Flag = string

export const firstKeywordBit = 8

/** How many different keywords one mailbox can have. An unused one gives its place to a new one. */
export const maxKeywords = 44

/** RFC 9051 §9 atom, less what the flag grammar forbids; at most 100 octets. */
export function isKeyword(text: string): boolean {
  return /^[^\x00-\x20\x7f-\uffff(){%*"\\\]]{1,100}$/.test(text)
}

/** The canonical spelling of a system flag given in any case, or undefined. */
export function systemFlag(text: string): SystemFlag | undefined {
  return canonical.get(text.toLowerCase())
}

const canonical = new Map((Object.keys(systemFlags) as SystemFlag[]).map((flag) => [flag.toLowerCase(), flag]))

/** Whether bit `bit` (0…52) is set. */
export function hasBit(bits: FlagBits, bit: number): boolean {
  return bit < 31 ? (bits & (1 << bit)) !== 0 : Math.floor(bits / 2 ** bit) % 2 === 1
}

export function bitsUnion(a: FlagBits, b: FlagBits): FlagBits {
  return combine(a, b, (x, y) => x | y)
}

/** What STORE does: `replace` is FLAGS, the others are +FLAGS and -FLAGS. */
export type FlagMode = 'add' | 'remove' | 'replace'

/** What the flags of a message become by a change. */
export function flagsAfter(before: FlagBits, mode: FlagMode, bits: FlagBits): FlagBits {
  if (mode === 'replace') return bits
  return mode === 'add' ? bitsUnion(before, bits) : bitsWithout(before, bits)
}

export function bitsWithout(a: FlagBits, b: FlagBits): FlagBits {
  return combine(a, b, (x, y) => x & ~y)
}

const half = 2 ** 31

function combine(a: FlagBits, b: FlagBits, operate: (x: number, y: number) => number): FlagBits {
  if (a < half && b < half) return operate(a, b)
  return operate(a % half, b % half) + operate(Math.floor(a / half), Math.floor(b / half)) * half
}

/** The bits of flags given by name; keywords are looked up in any case. Unknown keywords are left out. */
export function bitsOf(flags: Iterable<Flag>, keywords: readonly string[]): FlagBits {
  let bits = 0
  for (const flag of flags) {
    const system = systemFlag(flag)
    if (system) bits = bitsUnion(bits, systemFlags[system])
    else {
      const index = keywords.findIndex((keyword) => keyword.toLowerCase() === flag.toLowerCase())
      if (index >= 0) bits = bitsUnion(bits, 2 ** (firstKeywordBit + index))
    }
  }
  return bits
}

/** The names of the flags that are set, system flags first. */
export function flagsOf(bits: FlagBits, keywords: readonly string[]): Flag[] {
  const flags: Flag[] = []
  for (const [name, bit] of Object.entries(systemFlags)) if (bits & bit) flags.push(name)
  for (const [index, keyword] of keywords.entries()) {
    if (keyword !== '' && hasBit(bits, firstKeywordBit + index)) flags.push(keyword)
  }
  return flags
}
