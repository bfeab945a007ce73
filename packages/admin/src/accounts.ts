import type { Account } from '@pennypost/model'
import { QueueFull } from '@pennypost/sasl'
import { AdminError } from './admin-error.ts'
import type { AdminContext } from './context.ts'

/** How long the removal of an account can be undone. */
export const undoRemovalMs = 30 * 86_400_000

/** The account with this login (in lookup form). Rejects when there is none, or only a removed one. */
export async function findAccount({ store }: AdminContext, login: string): Promise<Account> {
  const account = await store.directory.accountByLogin(login)
  if (!account) {
    throw new AdminError('not-found', `There is no account ${login}.`, '`pennypost account list` shows all.')
  }
  if (account.removedAt !== null) {
    throw new AdminError('not-found', `The account ${login} was removed.`, `\`pennypost account restore ${login}\``)
  }
  return account
}

/** Makes the verifier of a new password; what is wrong with the password is the caller's to put right. */
export async function verifierOf({ credentials }: AdminContext, password: string): Promise<string> {
  try {
    return await credentials.hash(password)
  } catch (error) {
    if (error instanceof QueueFull) throw error
    throw new AdminError('bad-input', (error as Error).message, 'Choose another password.', { cause: error })
  }
}

/**
 * Ends what the account has open; how many sessions. Who had learnt what counts no more is out at once; others log in again
 * by themselves.
 */
export function endSessions({ running }: AdminContext, { id }: Account): number {
  return running?.endSessions(id) ?? 0
}
