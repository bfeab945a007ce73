import type { OperationResult } from '@pennypost/admin'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { clean } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `dial ADDRESS`. Exit code 1 when mail for it would not be taken. */
export function register(program: Command): void {
  addVerb(program, 'dial <address>', 'what would happen to mail for an address, without sending any')
    .option('--from <address>', 'as this sender; the null reverse-path without')
    .option('--require-tls', 'as if the message had REQUIRETLS', false)
    .option('--all', 'every address of every host, not only up to the first that answers', false)
    .option('--transcripts', 'with the lines of each SMTP session', false)
    .action(inSession(dial))
}

interface DialOptions {
  from?: string
  requireTls: boolean
  all: boolean
  transcripts: boolean
}

type Target = OperationResult<'dial'>['targets'][number]

async function dial(session: Session, address: string, options: DialOptions): Promise<void> {
  const { from = '', requireTls, all, transcripts } = options
  const report = await session.call('dial', { address, from: from === '<>' ? '' : from, requireTls, all })
  const text = (): string => report.targets.map((target) => targetText(target, transcripts)).join('\n')
  session.show(report, () => `${text()}${askedAsBounce(from, report.targets)}`)
  if (report.targets.some(({ accepted }) => !accepted)) process.exitCode = 1
}

/** A catch-all takes letters, and bounces only for who has written: without this line dial seems to know no catch-all. */
function askedAsBounce(from: string, targets: readonly Target[]): string {
  if (!['', '<>'].includes(from) || !targets.some((each) => each.destination === 'local' && !each.accepted)) return ''
  return 'Asked as for a bounce, which has no sender. For a letter: --from ADDRESS.\n'
}

function targetText(target: Target, transcripts: boolean): string {
  const lines = [
    `<${target.forwardPath}> ${target.destination === 'local' ? 'stays here' : `goes to ${target.destination}`}`,
    ...target.dns.map((answer) => `  DNS: ${answer}`),
    ...target.hosts.flatMap((host) => hostLines(host, transcripts)),
    `${target.accepted ? 'accepted' : 'not accepted'}: ${target.outcome}`,
  ]
  return lines.map((line) => `${clean(line)}\n`).join('')
}

function hostLines(host: Target['hosts'][number], transcripts: boolean): string[] {
  const said = ([name, words]: [string, string]): string[] => (words === '' ? [] : [`    ${name}: ${words}`])
  return [
    `  ${host.host} [${host.address}]:${host.port}`,
    ...said(['TLS', host.tls || host.tlsReason ? `${host.tls || 'none'} (${host.tlsReason})` : '']),
    ...said(['greeting', host.greeting]),
    ...said(['offers', host.capabilities.join(', ')]),
    ...said(['MAIL', host.mail]),
    ...said(['RCPT', host.rcpt]),
    ...said(['error', host.error]),
    ...(transcripts ? host.transcript.map((line) => `      ${line}`) : []),
  ]
}
