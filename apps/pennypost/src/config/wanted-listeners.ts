import { type Config, type ListenerConfig, placeOf, type roles } from './schema.ts'

/** Which listeners the roles of the configuration ask for. */
type Role = (typeof roles)[number]

/** The roles that a service belongs to: a listener without any of them stays closed. */
const rolesOf: Readonly<Record<ListenerConfig['service'], readonly Role[]>> = {
  smtp: ['mx'],
  submission: ['submission'],
  submissions: ['submission'],
  lmtp: ['lmtp'],
  odmr: ['mx'],
  pop3: ['pop3'],
  pop3s: ['pop3'],
  imap: ['imap'],
  imaps: ['imap'],
  http: ['admin'],
  // It speaks to other servers about the MX, and to mail programs about the rest.
  https: ['mx', 'submission', 'pop3', 'imap'],
}

export function wantedListeners({ listener, roles }: Config): ListenerConfig[] {
  return listener.filter(({ service }) => rolesOf[service].some((role) => roles.includes(role)))
}

/** A listener that stays closed. */
export interface ClosedListener {
  service: ListenerConfig['service']
  /** As the configuration has it: `127.0.0.1:25`, `[::1]:25`, or a path. */
  address: string
  /** With any of these the configuration would open it. */
  roles: readonly Role[]
}

/** Listeners of the configuration for which it has no role. */
export function closedListeners(config: Config): ClosedListener[] {
  const wanted = wantedListeners(config)
  const closed = config.listener.filter((each) => !wanted.includes(each))
  return closed.map((each) => ({ service: each.service, address: placeOf(each), roles: rolesOf[each.service] }))
}
