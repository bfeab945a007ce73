import type { ArcFinding } from '../findings/finding.ts'
import type { HeaderField } from './header-fields.ts'

/**
 * The ARC sets that a message has already, and which one may follow them (RFC 8617 §5.1). Whether their signatures are
 * good is the check's word; here is read only what a next seal has to name and to cover.
 *
 * What it must never break: no second chain begins beside one that is there, no instance comes twice, and a chain of
 * which something is doubtful gets no seal rather than a wrong one.
 *
 * Who calls it: the sealer.
 */

/** Of one set, in the order in which a seal covers them (§5.1.1). */
const setOrder = ['arc-authentication-results', 'arc-message-signature', 'arc-seal']

/** RFC 8617 §4.2.1. */
const maxInstance = 50

export interface NextSet {
  instance: number
  /** The cv= of its seal: what the chain before it was found to be. */
  validation: 'none' | 'pass' | 'fail'
  /** The fields of the sets before it that its seal covers, in order. */
  before: readonly HeaderField[]
}

/** The set that may be added, or why none may. */
export function nextSet(header: readonly HeaderField[], { result, instance: found }: ArcFinding): NextSet | string {
  if (result === 'unavailable') return 'the chain could not be checked'
  const fields = header.filter(({ name }) => setOrder.includes(name)).map((field) => ({ field, at: instanceOf(field) }))
  if (fields.some(({ at }) => at === 0)) return 'a field of the chain does not tell its instance'
  const newest = newestOf(fields)
  if (hasEnded(fields)) return 'the newest seal says that the chain has failed'
  if (newest >= maxInstance) return `the chain has ${newest} sets already`

  const next = { instance: newest + 1, validation: result, before: [] }
  // §5.1.2: which fields a broken chain has could not be said for certain, so that the seal covers its own set alone.
  if (result === 'fail' && newest > 0) return next
  if (result === 'none' && newest === 0) return next
  const chain = fields.toSorted((one, other) => one.at - other.at || placeOf(one.field) - placeOf(other.field))
  const isWhole = chain.every(({ field, at }, index) => 3 * (at - 1) + placeOf(field) === index)
  if (result === 'pass' && newest > 0 && newest === found && isWhole && chain.length === 3 * newest) {
    return { ...next, before: chain.map(({ field }) => field) }
  }
  return 'the chain is not the one that was checked'
}

interface ChainField {
  field: HeaderField
  at: number
}

const newestOf = (fields: readonly ChainField[]): number => fields.reduce((newest, { at }) => Math.max(newest, at), 0)

/** §5.1.3: a chain that has failed is not gone on with. */
function hasEnded(fields: readonly ChainField[]): boolean {
  const seals = fields.filter(({ field }) => field.name === 'arc-seal')
  const newest = newestOf(seals)
  return seals.some(({ field, at }) => at === newest && /^fail$/i.test(tagOf(field, 'cv') ?? ''))
}

const placeOf = ({ name }: HeaderField): number => setOrder.indexOf(name)

/** §4.2.1; 0 for a field that does not tell it, or not as one number. */
function instanceOf(field: HeaderField): number {
  // §4.1.1: in results the instance is what they begin with, and behind it nothing is a list of tags.
  const isResults = field.name === 'arc-authentication-results'
  const instance = isResults ? /^\s*i\s*=\s*(\d+)\s*;/.exec(textOf(field))?.[1] : tagOf(field, 'i')
  return instance !== undefined && /^\d{1,2}$/.test(instance) ? Number(instance) : 0
}

/** The value of a tag (RFC 6376 §3.2); undefined for one that is not there, or twice. */
function tagOf(field: HeaderField, name: string): string | undefined {
  const [first, ...more] = textOf(field)
    .split(';')
    .map((tag) => /^\s*([a-z]\w*)\s*=(.*)$/is.exec(tag))
    .filter((tag) => tag?.[1] === name)
  return more.length === 0 ? first?.[2]?.trim() : undefined
}

const textOf = ({ text }: HeaderField): string => text.slice(text.indexOf(':') + 1)
