import type { FlowEvent } from '@pennypost/model'
import { clean, formatDuration, formatSize, formatTime } from './table.ts'

/** A journey as people read it: one line per event with its time, details below it. */

export function journeyLines(events: readonly FlowEvent[], options: { transcripts: boolean }): string {
  return events
    .map((event) => {
      const [first, ...details] = linesOf(event, options.transcripts)
      const more = details.map((line) => `${' '.repeat(22)}${clean(line)}\n`).join('')
      return `${formatTime(event.at)}  ${clean(first as string)}\n${more}`
    })
    .join('')
}

type Of<Kind extends FlowEvent['kind']> = Extract<FlowEvent, { kind: Kind }>

function linesOf(event: FlowEvent, transcripts: boolean): string[] {
  switch (event.kind) {
    case 'received':
      return received(event)
    case 'finding':
      return [`${event.check}: ${event.result}${event.detail ? ` (${event.detail})` : ''}`]
    case 'verdict':
      return [`verdict: ${event.verdict}, ${event.reason}`]
    case 'refused':
      return refused(event)
    case 'expanded':
      return [`<${event.forwardPath}> goes by ${event.by} to ${event.targets.join(', ')}`]
    case 'verified':
      return [
        `<${event.forwardPath}> asked of ${event.destination}: ${event.answer}, ${event.reply}`,
        `at ${formatTime(event.askedAt)}`,
      ]
    case 'filed':
      return [`filed for ${event.login} in ${event.mailbox}, UID ${event.uid}`]
    case 'queued':
      return [
        `queued for ${event.destination} as entry ${event.entry}: ${event.forwardPaths.join(', ')}`,
        ...(event.reversePath === undefined ? [] : [`from <${event.reversePath}>`]),
      ]
    case 'attempt':
      return attempt(event, transcripts)
    case 'interrupted':
      return [`an attempt at entry ${event.entry} was cut off with the server: the next hop may have it`]
    case 'delivered':
      return [`delivered <${event.forwardPath}> to ${event.host}: ${event.reply}`]
    case 'deferred':
      return [`deferred ${whom(event)}: ${event.reply}`, `next attempt ${formatTime(event.nextAttemptAt)}`]
    case 'held':
      return [`held <${event.forwardPath}> by the rule "${event.rule}", until it is released`]
    case 'failed':
      return [`failed ${whom(event)}: ${event.reply}`]
    case 'dsn':
      return [`DSN "${event.action}" to ${event.to || 'nobody'}${event.dsn ? `, itself ${event.dsn}` : ''}`]
    case 'returned':
      return [
        `${event.by || 'somebody'} reports <${event.forwardPath}>: ${event.action} ${event.status}, in ${event.dsn}`,
        ...(event.diagnostic === '' ? [] : [event.diagnostic]),
      ]
    case 'about':
      return [`this is a DSN about ${event.about}`]
    case 'operator':
      return [`an operator's "${event.verb}" on entry ${event.entry}${event.verb === 'restore' ? ': held' : ''}`]
    case 'unconfirmed':
      return ['the acceptance may not have reached the client']
    case 'repeated':
      return [`came again in session ${event.session} and was not stored twice`]
    case 'read':
      return [`read by ${event.by} over ${event.protocol}`]
  }
}

function whom({ forwardPath, login }: Of<'deferred' | 'failed'>): string {
  return `<${forwardPath}>${login === undefined ? '' : ` for ${login}`}`
}

function received(event: Of<'received'>): string[] {
  const helo = event.helo ? ` (${event.helo})` : ''
  const account = event.account ? `, as ${event.account}` : ''
  const tls = event.tls ?? (event.peer ? 'in clear' : '')
  return [
    `received by ${event.service} from ${event.peer || 'this machine'}${helo}${tls && ', '}${tls}${account}`,
    `from <${event.reversePath}> to ${event.forwardPaths.map((path) => `<${path}>`).join(' ')}`,
    `${formatSize(event.size)}${event.messageId ? `, Message-ID <${event.messageId}>` : ''}`,
  ]
}

function refused({ forwardPath, reply, peer, reversePath }: Of<'refused'>): string[] {
  const first = `refused${forwardPath ? ` <${forwardPath}>` : ''}: ${reply}`
  return reversePath === undefined ? [first] : [first, `from <${reversePath}>, ${peer || 'this machine'}`]
}

function attempt(event: Of<'attempt'>, transcripts: boolean): string[] {
  // What failed without TLS may have failed for want of it: only what went on went in clear.
  const tls = event.tls ?? (event.error ? '' : 'in clear')
  const reason = event.tlsReason ? ` (${event.tlsReason})` : ''
  const host = `tried ${event.host} [${event.address}] for ${event.destination}${tls && ', '}${tls}${reason}`
  return [
    // Without an address nobody was called: the DNS, or the choice of hosts, ended it.
    `${event.address === '' ? `looked for ${event.destination}` : host}, ${formatDuration(event.elapsedMs)}`,
    ...(event.dns ?? []).map((answer) => `DNS: ${answer}`),
    ...(event.error ? [`error: ${event.error}`] : []),
    ...(transcripts ? (event.transcript ?? []) : []),
  ]
}
