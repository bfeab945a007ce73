/**
 * A server in a process of its own that watches itself, for `limits.ts` and `checked.ts`: on `begin` it starts to watch, on `end` it sends
 * what it saw. It sends its ports when it is up, and ends with its parent. Its argument is a DNS server to ask.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemDeadline } from '@pennypost/model'
import { startInstance } from '../e2e/instance.ts'

/** What the parent asks. */
export type Ask = { ask: 'begin' | 'end' } | { ask: 'relay'; domain: string; port: number }

/** Octets are of heap and memory outside it, as the collector left them; milliseconds are how late the loop was. */
export interface Watched {
  idleOctets: number
  peakOctets: number
  delayP99: number
  delayMax: number
  /** Of all its threads. */
  cpuMs: number
}

export interface Ports {
  smtp: number
  /** Where a proxy says who the client is. */
  proxied: number
  imap: number
  pop3: number
}

const send = (message: Ports | Watched | 'done'): void => void process.send?.(message)
const octets = (): number => {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const [, , dns] = process.argv
const toml = `[policy]
require_tls_for_auth = false
[limits]
connections_per_address = 0
connections_per_stranger = 0
message_size = "60MB"
[[listener]]
service = "smtp"
proxy = ["127.0.0.1"]
address = "127.0.0.1"
port = 0
${dns === undefined ? '' : `[dns]\nservers = ["${dns}"]`}`
const instance = await startInstance({ domain: 'bench.test', accounts: ['alice', 'bob'], toml })
const delay = monitorEventLoopDelay({ resolution: 1 })
const watched: Watched = { idleOctets: 0, peakOctets: 0, delayP99: 0, delayMax: 0, cpuMs: 0 }
let cpuAtBegin = process.cpuUsage()

function watch(): void {
  watched.peakOctets = Math.max(watched.peakOctets, octets())
  systemDeadline.after(5, watch)
}

process.on('message', async (message: Ask) => {
  if (message.ask === 'relay') {
    const target = `127.0.0.1:${message.port}`
    await instance.server.store.directory.addDomain({ name: message.domain, kind: 'relay', target, catchAll: '' })
    send('done')
  } else if (message.ask === 'begin') {
    globalThis.gc?.()
    watched.idleOctets = watched.peakOctets = octets()
    delay.reset()
    delay.enable()
    cpuAtBegin = process.cpuUsage()
    send('done')
  } else {
    delay.disable()
    const { user, system } = process.cpuUsage(cpuAtBegin)
    // The histogram counts the millisecond of its own timer.
    const late = { delayP99: delay.percentile(99) / 1e6 - 1, delayMax: delay.max / 1e6 - 1 }
    send({ ...watched, ...late, cpuMs: (user + system) / 1000 })
  }
})
process.on('disconnect', () => void instance[Symbol.asyncDispose]().then(() => process.exit(0)))
watch()
const [proxied, smtp] = instance.server.listeners
  .filter(({ service }) => service === 'smtp')
  .map(({ bound }) => bound.port)
send({ smtp: smtp ?? 0, proxied: proxied ?? 0, imap: instance.port('imap'), pop3: instance.port('pop3') })
