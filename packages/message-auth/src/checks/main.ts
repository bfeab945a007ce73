/**
 * The check worker: SPF, DKIM and ARC by mailauth, away from the main thread, which would stand still for a millisecond
 * or two per message otherwise. It has no network and no clock of its own: DNS answers and the time come from the main
 * thread, the message comes in chunks, of which the next is sent when the last has been worked on.
 *
 * Who starts it: `CheckWorker`, at the first request.
 */
import './underscores.ts'
import { PassThrough } from 'node:stream'
import { parentPort } from 'node:worker_threads'
import type { DnsAnswer, DnsType } from '@pennypost/model'
import { arc } from 'mailauth/lib/arc/index.js'
import { spf } from 'mailauth/lib/spf/index.js'
import { Effort } from './effort.ts'
import type {
  FromWorker,
  Refusal,
  SignatureAnswer,
  SignatureRequest,
  SpfAnswer,
  SpfRequest,
  ToWorker,
  VerifiedSignature,
} from './messages.ts'
import { verifySignatures } from './verify-signatures.ts'

const port = parentPort
if (!port) throw new Error('this module is the body of a worker thread')

interface Running {
  message: PassThrough
  effort: Effort
  queries: Map<number, (answer: DnsAnswer<DnsType>) => void>
  /** By type and name: what was asked is not asked again. */
  asked: Map<string, Promise<DnsAnswer<DnsType>>>
  /** DNS has left a question open. */
  isUnanswered: boolean
}

const running = new Map<number, Running>()
let queries = 0

const send = (message: FromWorker): void => port.postMessage(message)

port.on('message', (message: ToWorker) => {
  const work = running.get(message.id)
  switch (message.kind) {
    case 'spf':
      return start(message.id, (work) => checkSpf(message, message.id, work))
    case 'signatures':
      return start(message.id, (work) => checkSignatures(message, message.id, work).catch(unverifiable))
    case 'chunk':
      if (work?.effort.bears(message.octets)) return feed(message.id, work, message.octets, message.last)
      return work && refuse(message.id, work)
    case 'resolved':
      if (work && message.answer.status === 'failed') work.isUnanswered = true
      return work?.queries.get(message.query)?.(message.answer)
    case 'cancel':
      running.delete(message.id)
      work?.message.destroy(new Error('cancelled'))
      send({ id: message.id, kind: 'cancelled' })
  }
})

function start(id: number, check: (work: Running) => Promise<SpfAnswer | SignatureAnswer | Refusal>): void {
  const work: Running = {
    message: new PassThrough(),
    effort: new Effort(),
    queries: new Map(),
    asked: new Map(),
    isUnanswered: false,
  }
  // A message that nobody reads any more ends with an error that concerns nobody.
  work.message.on('error', () => {})
  running.set(id, work)
  check(work)
    .then(
      (answer) => running.has(id) && send({ id, kind: 'done', answer }),
      (error: Error) => running.has(id) && send({ id, kind: 'failed', reason: error.message }),
    )
    .finally(() => running.delete(id))
}

/** By something in the message: whatever DNS does not say comes as a result. */
const unverifiable = ({ message }: Error): Refusal => ({ refusal: `cannot be verified: ${shown(message)}` })

function refuse(id: number, { message }: Running): void {
  running.delete(id)
  const refusal = 'the message is made to take long'
  message.destroy(new Error(refusal))
  send({ id, kind: 'done', answer: { refusal } })
}

function feed(id: number, { message }: Running, octets: Uint8Array, last: boolean): void {
  const taken = message.write(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength))
  if (last) message.end()
  else if (taken) send({ id, kind: 'taken' })
  else message.once('drain', () => send({ id, kind: 'taken' }))
}

function ask(id: number, { asked, queries: open }: Running, name: string, type: DnsType): Promise<DnsAnswer<DnsType>> {
  const key = `${type} ${name.toLowerCase()}`
  const known = asked.get(key)
  if (known) return known
  const { promise, resolve } = Promise.withResolvers<DnsAnswer<DnsType>>()
  const query = ++queries
  open.set(query, resolve)
  asked.set(key, promise)
  send({ id, kind: 'resolve', query, name, type })
  return promise
}

/** The library's idea of a resolver, over the main thread's. Answers that are none are errors with the codes of c-ares. */
function resolverFor(id: number, work: Running) {
  return async (name: string, type: string): Promise<string[]> => {
    const answer = await ask(id, work, name, type as DnsType)
    if (answer.status !== 'found') {
      const code = { nxdomain: 'ENOTFOUND', nodata: 'ENODATA', failed: 'ESERVFAIL' }[answer.status]
      throw Object.assign(new Error(answer.status === 'failed' ? answer.reason : `${name} has no ${type}`), { code })
    }
    const isFirst = name.includes('._domainkey.') ? isKey : () => false
    return answer.records
      .toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))
      .map((record) => {
        if (typeof record === 'string') return type === 'TXT' ? [record] : record
        return 'exchange' in record ? { exchange: record.exchange, priority: record.preference } : record
      }) as string[]
  }
}

/** Of several TXT records at a selector mailauth takes the first, whatever it is, and DNS gives them in any order. */
const isKey = (record: unknown): boolean =>
  typeof record === 'string' && /^\s*v\s*=\s*DKIM1\b|(?:^|;)\s*p\s*=/.test(record)

async function checkSpf(request: SpfRequest, id: number, work: Running): Promise<SpfAnswer> {
  const { status } = await spf({
    strict: true,
    sender: request.reversePath,
    ip: request.clientAddress,
    helo: request.helo,
    mta: request.hostname,
    resolver: resolverFor(id, work),
  })
  return { result: status.result as SpfAnswer['result'], detail: shown(status.comment?.replace(/^[^:]*: /, '')) }
}

async function checkSignatures(request: SignatureRequest, id: number, work: Running): Promise<SignatureAnswer> {
  const options = { strict: true, resolver: resolverFor(id, work), curTime: new Date(request.now) }
  const verified = await verifySignatures(work.message, options, ({ keys, bodies }) => {
    Object.assign(work.effort, { bodies, signatures: keys.length })
    if (!work.effort.isBearable) return refuse(id, work)
    for (const name of keys) void ask(id, work, name, 'TXT')
  })
  const chain = await arc(verified.arc as never, options)
  // RFC 8617 §5.2.1 calls that failed for good; to say so under a seal of ours would end a chain that may be whole.
  const isOpen = chain.status.result === 'fail' && work.isUnanswered
  return {
    dkim: verified.results.filter(({ status }) => status.result !== 'none').map(readSignature),
    arc: {
      result: isOpen ? 'unavailable' : (chain.status.result as SignatureAnswer['arc']['result']),
      // It begins with the instance, which is told in a field of its own.
      detail: isOpen ? 'DNS has not given every key' : shown(chain.status.comment?.replace(/^i=\d+ ?/, '')),
      sealer: shown((chain.signature || undefined)?.signingDomain),
      instance: Number(chain.i) || 0,
    },
  }
}

/** No name is longer, and what is found is kept with the journey, also of a message that is refused. */
const shown = (text = ''): string => text.slice(0, 255)

type Verified = Awaited<ReturnType<typeof verifySignatures>>['results'][number]

function readSignature(result: Verified): VerifiedSignature {
  const { status } = result
  return {
    result: status.result as VerifiedSignature['result'],
    domain: shown(result.signingDomain),
    selector: shown(result.selector),
    algorithm: shown(result.algo),
    start: (result.signature ?? '').slice(0, 8),
    detail: shown(
      status.comment || status.policy?.['dkim-rules'] || (status.testing ? 'the key is being tested (t=y)' : ''),
    ),
    unsignedOctets: status.underSized ?? 0,
    signedFields: result.signingHeaders?.keys.toLowerCase().split(': ') ?? [],
  }
}
