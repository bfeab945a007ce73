import { always, type Command } from '../command.ts'
import type { Extension } from '../extension.ts'
import { bad } from '../refusal.ts'
import { printNString, printQuoted } from '../wire/strings.ts'

/** ID: who is at either end. What a client says of itself goes into the log, and nothing depends on it. */

type Fields = Map<string, string | null>

/** RFC 2971 §3.3: no more than 30 fields, names of 30, values of 1024 octets; what is beyond is not kept. */
const most = { fields: 30, name: 30, value: 1024 }

/** `"ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)` */
const id = {
  name: 'ID',
  rfc: 'RFC 2971 §3.1',
  states: always,
  effects: {},
  parse(cursor) {
    const fields: Fields = new Map()
    cursor.sp()
    if (cursor.skip('NIL')) return fields
    if (cursor.peek() !== '(') throw bad('List of fields or NIL expected')
    cursor.list(() => {
      const name = cursor.string('Field name').slice(0, most.name)
      cursor.sp()
      const value = cursor.nstring('Field value')
      if (fields.size < most.fields) fields.set(name.toLowerCase(), value === null ? null : value.slice(0, most.value))
    }, 1000)
    return fields
  },
  run(session, fields) {
    if (fields.size > 0) session.log.info({ client: readable(fields) }, 'client identified')
    const own = Object.entries(session.service.serverId)
    const shown = own.map(([name, value]) => `${printQuoted(name)} ${printNString(value, false)}`)
    session.untagged(`ID ${shown.length === 0 ? 'NIL' : `(${shown.join(' ')})`}`)
    return undefined
  },
} satisfies Command<Fields>

/** What a client says of itself, as a log may hold it. */
function readable(fields: Fields): Record<string, string> {
  const entries = [...fields].map(([name, value]) => [name, (value ?? '').replace(/[^\x20-\x7e]/g, '?')])
  return Object.fromEntries(entries)
}

export const idExtension: Extension = {
  name: 'ID',
  rfc: 'RFC 2971',
  capabilities: [{ name: 'ID' }],
  commands: [id],
}
