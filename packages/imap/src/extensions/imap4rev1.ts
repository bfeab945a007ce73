import { beforeLogin } from '../command.ts'
import { baseCommands } from '../commands/index.ts'
import { baseStatusItems } from '../commands/status.ts'
import type { Extension } from '../extension.ts'
import { baseFetchItems } from '../fetch/items.ts'
import { baseSearchKeys } from '../search/keys.ts'
import { offeredMechanisms, passwordsAllowed } from '../session/authentication.ts'

/** The base that every session has until it enables more. It cannot be left out: the rest stands on it. */
export const imap4rev1: Extension = {
  name: 'IMAP4rev1',
  rfc: 'RFC 3501',
  isBase: true,
  capabilities: [
    { name: 'IMAP4rev1' },
    {
      name: ({ connection, service }) => (service.offersTls && !connection.tls ? ['STARTTLS'] : []),
      states: beforeLogin,
    },
    { name: (session) => (passwordsAllowed(session) ? [] : ['LOGINDISABLED']), states: beforeLogin },
    { name: (session) => offeredMechanisms(session).map(({ name }) => `AUTH=${name}`), states: beforeLogin },
  ],
  commands: baseCommands,
  fetchItems: baseFetchItems,
  searchKeys: baseSearchKeys,
  statusItems: baseStatusItems,
}
