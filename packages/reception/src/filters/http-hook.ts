import type { FilterFinding } from '@pennypost/message-auth'
import type { ContentFilter, FilterSettings, MailToLookAt } from './filter.ts'
import { askByHttp, parseObject } from './http-exchange.ts'

/**
 * A program of the postmaster: gets a JSON object by POST with what is known of a message, and answers with
 * `{"action": "accept" | "quarantine" | "defer" | "reject", "text": "…"}`; `text` is what the client is told.
 */
export interface HttpHookOptions extends FilterSettings {
  /** Of the request. */
  path: string
  /** With `content` (base64); else it gets the header section alone. */
  sendsContent: boolean
}

const actions = ['accept', 'quarantine', 'defer', 'reject'] as const

/** A filter that asks the program; `look` rejects for an answer of another form. */
export function createHttpHook({ endpoint, dialer, path, sendsContent, ...filter }: HttpHookOptions): ContentFilter {
  return {
    ...filter,
    check: 'hook',
    async look(mail, signal) {
      const headers = { 'content-type': 'application/json' }
      const octets = await askByHttp(dialer, endpoint, { path, headers, body: bodyOf(mail, sendsContent) }, signal)
      return findingOf(filter.name, parseObject(octets))
    },
  }
}

/** The object, its content as it is read: a message is never whole in memory. */
async function* bodyOf(mail: MailToLookAt, sendsContent: boolean): AsyncGenerator<Buffer> {
  const { content, header, findings, ...facts } = mail
  const known = findings.map(({ check, result, detail }) => ({ check, result, detail }))
  const object = JSON.stringify({ ...facts, findings: known, header: header.toString('utf8') })
  if (!sendsContent) {
    yield Buffer.from(object)
    return
  }
  yield Buffer.from(`${object.slice(0, -1)},"content":"`)
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of content()) {
    const octets = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    // Only whole groups of three have no padding behind them.
    const whole = octets.length - (octets.length % 3)
    yield Buffer.from(octets.toString('base64', 0, whole))
    rest = octets.subarray(whole)
  }
  yield Buffer.from(`${rest.toString('base64')}"}`)
}

function findingOf(name: string, { action, text: said }: { action?: unknown; text?: unknown }): FilterFinding {
  const result = actions.find((known) => known === action)
  if (result === undefined) throw new Error(`unknown action: ${String(action).slice(0, 100)}`)
  const text = typeof said === 'string' ? said.slice(0, 200) : ''
  return { check: 'hook', result, detail: `${name}: ${text || result}`, filter: name, text }
}
