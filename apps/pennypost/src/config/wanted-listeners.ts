import type { Config, ListenerConfig, roles } from './schema.ts'

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
