import type { QueueCounts } from '@pennypost/model'
import type { SpoolFacts } from './context.ts'
import type { ServerFacts } from './server-facts.ts'

/** What `status` reports, as facts; the judgement below is a pure function of them. */
export interface StatusFacts {
  now: number
  hostname: string
  domains: number
  accounts: number
  queue: QueueCounts & { byAge: { age: string; entries: number }[] }
  spool: SpoolFacts
  /** `[admin] address` where nobody has it, and who gets its mail: the first administrator, or else the first account. */
  unreachableAdministrator?: { address: string; instead: string }
  /** Absent when no server runs. */
  server?: ServerFacts
}

export interface Problem {
  /** `broken`: mail stands still somewhere. `warning`: it will, or somebody may see it. */
  severity: 'broken' | 'warning'
  what: string
  todo: string
}

const dayMs = 86_400_000
const oldMs = dayMs
const expiresSoonMs = 14 * dayMs
const recentMs = dayMs

/** Everything that is wrong, the worst first, each with what to do about it. */
export function problemsOf(facts: StatusFacts): Problem[] {
  const { server } = facts
  const found = [...directoryProblems(facts), ...queueProblems(facts), ...spoolProblems(facts)]
  if (!server) {
    found.push({
      severity: 'broken',
      what: 'No server is running: no mail comes in or goes out.',
      todo: 'Start it with `pennypost serve`, or by the service manager.',
    })
  } else {
    found.push(...idleQueueProblems(facts.queue, server))
    found.push(...listenerProblems(server), ...certificateProblems(server, facts.now), ...nameProblems(facts, server))
    found.push(...unprovedProblems(server), ...diskProblems(server), ...unaskedProblems(server))
    const recent = server.errors.filter(({ at }) => facts.now - at < recentMs)
    if (recent.length > 0) {
      const what = `${counted(recent.length, 'error')} in the log of the last 24 hours; the last one: ${recent.at(-1)?.text}`
      found.push({ severity: 'warning', what, todo: 'See the log of the server.' })
    }
  }
  return found.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
}

/** `1 day`, `2 days`. */
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function directoryProblems({ domains, accounts, unreachableAdministrator }: StatusFacts): Problem[] {
  if (domains === 0) {
    const todo = '`pennypost domain add one.example`, then an account in it.'
    return [{ severity: 'warning', what: 'There is no domain: nobody can get mail.', todo }]
  }
  if (accounts > 0 && unreachableAdministrator !== undefined) {
    const { address, instead } = unreachableAdministrator
    const what = `Mail for postmaster@ and abuse@ goes to ${instead}: nobody has the address ${address}.`
    const todo = 'Name another in [admin] address of the configuration, or make the account or alias.'
    return [{ severity: 'warning', what, todo }]
  }
  if (accounts > 0) return []
  const todo = '`pennypost account add you@one.example` makes the first; it also gets mail for postmaster@.'
  return [{ severity: 'warning', what: 'There is no account: nobody can get mail.', todo }]
}

function queueProblems({ queue, now }: StatusFacts): Problem[] {
  const found: Problem[] = []
  if (queue.oldestAcceptedAt !== null && now - queue.oldestAcceptedAt > oldMs) {
    const days = Math.floor((now - queue.oldestAcceptedAt) / dayMs)
    const what = `The oldest message in the queue waits for ${counted(days, 'day')}.`
    found.push({ severity: 'warning', what, todo: '`pennypost queue list --older-than 1d` shows what keeps it.' })
  }
  if (queue.held > 0) {
    const what = `${queue.held} ${queue.held === 1 ? 'entry is' : 'entries are'} held in the queue.`
    found.push({
      severity: 'warning',
      what,
      todo: '`pennypost queue list --held`, then `queue release` or `queue fail`.',
    })
  }
  return found
}

/** Where nothing works the queue, forwards, bounces and whatever accounts send wait in it for good. */
function idleQueueProblems({ waiting, due, leased }: StatusFacts['queue'], server: ServerFacts): Problem[] {
  if (server.worksQueue) return []
  const all = waiting + due + leased
  const takesMail = server.listeners.some(({ service, lacksRoles }) => !lacksRoles && takingMail.includes(service))
  if (all === 0 && !takesMail) return []
  const what = `Nothing leaves the queue, since \`roles\` has no "relay"${all === 0 ? '.' : `: ${all} ${all === 1 ? 'entry waits' : 'entries wait'}.`}`
  const todo = 'Add "relay" to `roles` in the configuration, or leave `roles` out, and restart the server.'
  return [{ severity: all === 0 ? 'warning' : 'broken', what, todo }]
}

const takingMail = ['smtp', 'submission', 'submissions', 'lmtp']

function listenerProblems({ listeners }: ServerFacts): Problem[] {
  if (listeners.length === 0) {
    const todo = 'Write a [[listener]] for each service into the configuration, then restart the server.'
    return [{ severity: 'broken', what: 'There is no listener: nobody can connect.', todo }]
  }
  return listeners.flatMap(({ service, address, error }) => {
    if (error === undefined) return []
    const todo = /EADDRINUSE/.test(error)
      ? 'Another program has the port: stop that one, or change [[listener]] in the configuration.'
      : /EACCES/.test(error)
        ? 'Ports below 1024 need CAP_NET_BIND_SERVICE (see deploy/systemd), or root.'
        : 'See [[listener]] in the configuration, then restart the server.'
    return [{ severity: 'broken' as const, what: `${service} does not listen on ${address}: ${error}`, todo }]
  })
}

const namesShown = 5

function unprovedProblems({ unproved }: ServerFacts): Problem[] {
  if (unproved.length === 0) return []
  const shown = unproved.slice(0, namesShown).map(({ name, why }) => `${name} (${why})`)
  const rest = unproved.length > namesShown ? `; and ${unproved.length - namesShown} more` : ''
  const what = `The certificate authority was not convinced of ${shown.join('; ')}${rest}.`
  const todo =
    'See that its DNS leads here and that port 80 answers, or leave it out of `[tls.acme] names`; it is tried again.'
  return [{ severity: 'warning', what, todo }]
}

function certificateProblems({ certificates }: ServerFacts, now: number): Problem[] {
  return certificates.flatMap(({ file, names, notBefore, notAfter, selfSigned }): Problem[] => {
    const of = `The certificate ${file} (${names.join(', ')})`
    const todo = 'Renew it; the server takes the new file by itself.'
    if (notAfter < now) return [{ severity: 'broken', what: `${of} has expired.`, todo }]
    if (notBefore > now) {
      const what = `${of} is not valid before ${new Date(notBefore).toISOString().slice(0, 10)}.`
      return [{ severity: 'broken', what, todo: 'See whether the clock of this machine is right.' }]
    }
    if (selfSigned) {
      const advice = 'Get a real one and name it in [tls]: mail programs complain until then.'
      return [{ severity: 'warning', what: `${of} is self-signed.`, todo: advice }]
    }
    if (notAfter - now > expiresSoonMs) return []
    const left = counted(Math.ceil((notAfter - now) / dayMs), 'day')
    return [{ severity: 'warning', what: `${of} expires in ${left}.`, todo }]
  })
}

/** Mail programs connect to the host name, and the MX record names it. */
function nameProblems({ hostname }: StatusFacts, { certificates }: ServerFacts): Problem[] {
  const isFor = (name: string) => name === hostname || name === hostname.replace(/^[^.]+/, '*')
  if (certificates.some(({ names, selfSigned }) => selfSigned || names.some(isFor))) return []
  const todo = 'Get one for that name, or let [tls.acme] do it: mail programs complain until then.'
  return [{ severity: 'warning', what: `No certificate is for ${hostname}, the name of this server.`, todo }]
}

function diskProblems({ disk }: ServerFacts): Problem[] {
  const { directory, free, reserve } = disk
  const megabytes = Math.floor(free / 1024 ** 2)
  const what = `The disk of ${directory} has ${megabytes} MB left.`
  if (free <= reserve) return [{ severity: 'broken', what: `${what} New mail is deferred.`, todo: 'Make room now.' }]
  if (free < 4 * reserve) return [{ severity: 'warning', what, todo: 'Make room before new mail is deferred.' }]
  return []
}

function unaskedProblems({ unasked }: ServerFacts): Problem[] {
  return unasked.map(({ destination, since, reply }) => {
    const what = `Since ${new Date(since).toISOString().slice(0, 16)}Z ${destination} does not tell who its recipients are: ${reply}`
    const todo =
      '`pennypost dial ADDRESS` shows what it says; `domain set DOMAIN --no-verify-recipients` asks it no more.'
    return { severity: 'warning', what, todo }
  })
}

function spoolProblems({ spool: { directory, refused } }: StatusFacts): Problem[] {
  if (refused === 0) return []
  const what =
    refused === 1
      ? `A letter of a local program was refused and stays in ${directory}.`
      : `${refused} letters of local programs were refused and stay in ${directory}.`
  const todo = 'Read the files that end in `.refused` there and the log, which says why; then remove them.'
  return [{ severity: 'warning', what, todo }]
}
