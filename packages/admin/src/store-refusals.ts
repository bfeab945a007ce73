import { StoreError, type StoreRefusal } from '@pennypost/model'
import { QueueFull } from '@pennypost/sasl'
import { AdminError, type AdminRefusal } from './admin-error.ts'
import { systemFault } from './system-faults.ts'

/** What each refusal of the store means to an administrator, in one table. */
const refusals: Readonly<Record<StoreRefusal, readonly [AdminRefusal, advice: string]>> = {
  'no-such-mailbox': ['not-found', '`pennypost account show ADDRESS` lists the mailboxes of an account.'],
  'mailbox-exists': ['exists', ''],
  'mailbox-not-allowed': ['not-allowed', 'Mailbox names are divided by "/" and hold no control characters, % or *.'],
  'no-such-account': ['not-found', '`pennypost account list` shows the accounts that there are.'],
  'no-such-domain': ['not-found', '`pennypost domain list` shows the domains, `pennypost domain add NAME` adds one.'],
  'no-such-alias': ['not-found', '`pennypost alias list` shows the aliases that there are.'],
  'no-such-message': ['not-found', 'It was removed in the meantime.'],
  exists: ['exists', ''],
  'over-quota': ['limit', '`pennypost account quota ADDRESS SIZE` gives more room.'],
  'no-room': ['unavailable', 'The disk is down to its reserve: make room, then try again.'],
  limit: ['limit', ''],
  'lease-lost': ['unavailable', 'Try again.'],
  unavailable: ['unavailable', 'The store is stopping or has failed: see the log of the server, then try again.'],
}

/** Any error as an `AdminError`; one that is not the caller's doing keeps its cause. */
export function asAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error
  if (error instanceof StoreError) {
    const [reason, advice] = refusals[error.reason]
    return new AdminError(reason, sentence(error.message), advice, { cause: error })
  }
  if (error instanceof QueueFull) {
    const text = 'Too many passwords are being checked and made at this moment.'
    return new AdminError('unavailable', text, 'Try again in a while.', { cause: error })
  }
  const system = systemFault(error)
  if (system) return new AdminError(system.reason, system.text, system.advice, { cause: error })
  const text = error instanceof Error ? error.message : String(error)
  return new AdminError('failed', text, '', { cause: error })
}

/** What broke an import off, and what is there already: `12 messages`. */
export function afterSome(done: string, error: unknown): AdminError {
  const { reason, message, advice } = asAdminError(error)
  const again = 'Those stay; run the import again, and it goes on where it ended.'
  return new AdminError(reason, `After ${done}: ${message}`, `${advice} ${again}`.trim(), { cause: error })
}

/** The store's words are for logs, where they stand within a line. An address at their beginning stays as it is. */
function sentence(text: string): string {
  return text
    .replace(/^(there is|no such) /, (words) => words.charAt(0).toUpperCase() + words.slice(1))
    .replace(/\w$/, '$&.')
}
