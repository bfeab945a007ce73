import type { Account, Directory } from '@pennypost/model'

/**
 * Whether a mailbox takes so many octets: what will never fit is told from what may fit one day, and is not tried for days
 * (RFC 3463 §3.3, X.2.3). Undefined where there is room. 0: nobody knows how many they are.
 */
export async function wantOfRoom(
  directory: Pick<Directory, 'usage'>,
  { id, quota }: Pick<Account, 'id' | 'quota'>,
  size: number,
): Promise<'too-large' | 'full' | undefined> {
  if (quota === 0) return undefined
  if (size > quota) return 'too-large'
  const { octets } = await directory.usage(id)
  return octets >= quota || octets + size > quota ? 'full' : undefined
}
