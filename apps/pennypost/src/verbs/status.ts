import type { OperationResult } from '@pennypost/admin'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { clean, formatDuration, formatSize, formatTable, formatTime, plural } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `status`: what is wrong and what to do, then the facts. Exit code 1 when mail stands still somewhere. */
export function register(program: Command): void {
  addVerb(program, 'status', 'what is wrong and what to do; listeners, queue, certificates, disk').action(
    inSession(show),
  )
}

/** Who asks from cron is to hear of a server that hangs. */
const answerMs = 60_000

async function show(session: Session): Promise<void> {
  const { systemDeadline } = await import('@pennypost/model')
  const status = await session.call('status', {}, { signal: systemDeadline.signal(answerMs) })
  session.show(status, () => statusText(status))
  if (status.problems.some(({ severity }) => severity === 'broken')) process.exitCode = 1
}

type ServerFacts = NonNullable<OperationResult<'status'>['server']>
type ListenerFacts = ServerFacts['listeners'][number]

/** The screen of `status`. */
function statusText(status: OperationResult<'status'>): string {
  const { server, queue, spool, now } = status
  const problems = status.problems.map(({ severity, what, todo }) => {
    return `${severity === 'broken' ? 'BROKEN ' : 'WARNING'}  ${clean(what)}\n         ${clean(todo)}\n`
  })
  const up = server ? `running for ${formatDuration(now - server.startedAt)}, version ${server.version}` : 'not running'
  const parts = [
    problems.length === 0 ? 'All is well.\n' : problems.join(''),
    `${status.hostname}: ${up}; ${plural(status.domains, 'domain')}, ${plural(status.accounts, 'account')}\n`,
    queueText(queue) + spoolText(spool),
  ]
  if (server) {
    const { free, total, directory } = server.disk
    parts.push(
      formatTable(
        server.listeners,
        [
          { title: 'LISTENER', value: ({ service }) => service },
          { title: 'ADDRESS', value: ({ address }) => address },
          { title: 'SESSIONS', value: sessionsText, right: true },
        ],
        'No listeners.',
      ),
      server.certificates
        .map(({ file, names, notAfter }) => `certificate ${file} (${names.join(', ')}) until ${formatTime(notAfter)}\n`)
        .join(''),
      searchText(server.search),
      `disk of ${directory}: ${formatSize(free)} free of ${formatSize(total)}\n`,
      server.errors.length > 0
        ? `last errors:\n${server.errors
            .slice(-5)
            .map(({ at, text }) => `  ${formatTime(at)}  ${clean(text)}\n`)
            .join('')}`
        : '',
    )
  }
  return parts.filter((part) => part !== '').join('\n')
}

function sessionsText({ sessions, error, lacksRoles }: ListenerFacts): string | number {
  if (lacksRoles) return `closed: needs role ${lacksRoles.join(' or ')}`
  return error === undefined ? sessions : 'down'
}

function searchText({ index, behind, octets }: ServerFacts['search']): string {
  if (index === 'off') return 'search index: off\n'
  const toGo = behind > 0 ? `, at most ${plural(behind, 'message')} to go` : ''
  return `search index: ${index}${toGo}${octets > 0 ? `, ${formatSize(octets)}` : ''}\n`
}

function spoolText({ waiting }: OperationResult<'status'>['spool']): string {
  return waiting === 0
    ? ''
    : `spool: ${plural(waiting, 'letter')} of local programs ${waiting === 1 ? 'waits' : 'wait'} for the server\n`
}

function queueText({ byAge, due, leased, waiting, held }: OperationResult<'status'>['queue']): string {
  const total = due + leased + waiting + held
  if (total === 0) return 'queue: empty\n'
  const ages = byAge.filter(({ entries }) => entries > 0).map(({ age, entries }) => `${entries} ${age}`)
  return `queue: ${plural(total, 'entry', 'entries')} (${ages.join(', ')}); ${due} due, ${leased} under way, ${waiting} waiting, ${held} held\n`
}
