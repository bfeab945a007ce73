/**
 * What FETCH says of one message, asked of two servers and compared. What they may say differently without being of
 * another opinion is made alike here; what is left is a difference that somebody has to judge.
 */
import { Atom, type Datum, type ImapWire } from './imap-wire.ts'

const ofMessage = [
  'RFC822.SIZE',
  'ENVELOPE',
  'BODY',
  'BODYSTRUCTURE',
  'BODY.PEEK[]',
  'BODY.PEEK[HEADER]',
  'BODY.PEEK[TEXT]',
  'BODY.PEEK[HEADER.FIELDS (From To Subject Content-Type)]',
  'BODY.PEEK[HEADER.FIELDS.NOT (From To Subject Received)]',
  'BODY.PEEK[]<5.50>',
  'BODY.PEEK[TEXT]<3.10>',
  'BODY.PEEK[HEADER]<1000000.5>',
]
const ofPart = ['', '.MIME']
const ofMessagePart = ['.HEADER', '.TEXT', '.HEADER.FIELDS (Subject)', '.HEADER.FIELDS.NOT (Subject)']
/** Of one message; more says nothing new. */
const mostParts = 100

export interface Difference {
  item: string
  ours: string
  theirs: string
}

/** All items in which the two servers' message of that number differs. */
export async function differences(ours: ImapWire, theirs: ImapWire, number: number): Promise<Difference[]> {
  const found = await compare(ours, theirs, number, ofMessage)
  const structures = [ours, theirs].map(async (wire) =>
    (await ask(wire, number, ['BODYSTRUCTURE'])).get('BODYSTRUCTURE'),
  )
  const parts = new Map((await Promise.all(structures)).flatMap((structure) => partsOf(structure ?? null)))
  const items = [...parts].slice(0, mostParts).flatMap(([path, kind]) => itemsOf(path, kind))
  if (items.length > 0) found.push(...(await compare(ours, theirs, number, items)))
  return found
}

type PartKind = 'leaf' | 'multipart' | 'message'

function itemsOf(path: string, kind: PartKind): string[] {
  const items = ofPart.map((text) => `BODY.PEEK[${path}${text}]`)
  items.push(`BODY.PEEK[${path}]<2.7>`)
  if (kind === 'message') items.push(...ofMessagePart.map((text) => `BODY.PEEK[${path}${text}]`))
  // Of what is inside a composite, nothing is decoded (RFC 3516 §4.3).
  if (kind === 'leaf') items.push(`BINARY.SIZE[${path}]`, `BINARY.PEEK[${path}]`)
  return items
}

async function compare(ours: ImapWire, theirs: ImapWire, number: number, items: string[]): Promise<Difference[]> {
  const [a, b] = await Promise.all([ask(ours, number, items), ask(theirs, number, items)])
  const found: Difference[] = []
  for (const item of new Set([...a.keys(), ...b.keys()])) {
    const [mine, other] = alike(item, a.get(item), b.get(item))
    if (mine !== other) found.push({ item, ours: mine, theirs: other })
  }
  return found
}

/** One after the other when together they are refused, so that a refusal costs no other item. */
async function ask(wire: ImapWire, number: number, items: string[]): Promise<Map<string, Datum>> {
  try {
    return await wire.fetch(number, `(${items.join(' ')})`)
  } catch (error) {
    if (items.length === 1)
      return new Map([[items[0] as string, new Atom(/NO \[[A-Z-]+\]/.exec(String(error))?.[0] ?? 'NO')]])
    const found = new Map<string, Datum>()
    for (const item of items) for (const [name, value] of await ask(wire, number, [item])) found.set(name, value)
    return found
  }
}

/** Section part specifiers (RFC 9051 §6.4.5.1) of a BODYSTRUCTURE. */
function partsOf(structure: Datum): [string, PartKind][] {
  if (!Array.isArray(structure)) return []
  return Array.isArray(structure[0]) ? inside(structure, '') : part(structure, '1')
}

function inside(multipart: Datum[], prefix: string): [string, PartKind][] {
  const end = multipart.findIndex((inner) => !Array.isArray(inner))
  return multipart.slice(0, end).flatMap((inner, index) => part(inner as Datum[], `${prefix}${index + 1}`))
}

function part(structure: Datum[], path: string): [string, PartKind][] {
  if (Array.isArray(structure[0])) return [[path, 'multipart'], ...inside(structure, `${path}.`)]
  const content = structure[8]
  if (!isMessage(structure) || !Array.isArray(content)) return [[path, 'leaf']]
  return [[path, 'message'], ...(Array.isArray(content[0]) ? inside(content, `${path}.`) : part(content, `${path}.1`))]
}

const isMessage = ([type, subtype]: Datum[]): boolean =>
  /^message\/(rfc822|global)$/i.test(`${String(type)}/${String(subtype)}`)

/** Both values as text, made alike where the RFCs let servers choose. */
function alike(item: string, ours: Datum | undefined, theirs: Datum | undefined): [string, string] {
  const isText = item === 'ENVELOPE' || item === 'BODY' || item === 'BODYSTRUCTURE'
  let [a, b] = [ours, theirs].map((value) => shown(isText ? tidied(value) : value)) as [string, string]
  if (!isText)
    return [a, b]
    // Of the commonest structure Dovecot only remembers that it was that.
  ;[a, b] = [a, b].map((text) => text.replaceAll('"charset" "US-ASCII"', '"charset" "us-ascii"')) as [string, string]
  // Octets above 127 that are no UTF-8: we read them in some charset, the other gives them as they are.
  if (Buffer.from(Buffer.from(b, 'latin1').toString('utf8'), 'utf8').toString('latin1') !== b) {
    ;[a, b] = [a, b].map((text) => text.replaceAll(/[\x80-\xff]+/g, '?')) as [string, string]
  }
  return [a, b]
}

/** Without the outer white space and the case that only one of the two keeps. */
function tidied(datum: Datum | undefined): Datum | undefined {
  if (typeof datum === 'string')
    return datum
      .replaceAll(/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '')
      .replaceAll(/\s+/g, ' ')
      .trim()
  if (!Array.isArray(datum)) return datum
  const [type, subtype] = datum
  const items = datum.map(tidied) as Datum[]
  if (typeof type === 'string' && typeof subtype === 'string' && datum.length >= 7) {
    for (const at of [0, 1, 5])
      items[at] = typeof items[at] === 'string' ? (items[at] as string).toLowerCase() : (items[at] as Datum)
  }
  if (Array.isArray(type) && typeof datum.find((item) => !Array.isArray(item)) === 'string') {
    const at = datum.findIndex((item) => !Array.isArray(item))
    items[at] = (items[at] as string).toLowerCase()
  }
  return items
}

function shown(datum: Datum | undefined): string {
  if (datum === undefined) return '(absent)'
  if (datum === null) return 'NIL'
  if (datum instanceof Atom) return datum.text
  return Array.isArray(datum) ? `(${datum.map(shown).join(' ')})` : `"${datum}"`
}
