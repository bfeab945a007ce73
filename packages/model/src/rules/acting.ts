/**
 * What somebody who is not the owner does to flags, the same in every engine: \Seen goes beside the shared ones, and what
 * it may not set stays as it is (RFC 4314 §4).
 */
import {
  bitsUnion,
  bitsWithout,
  type Flag,
  type FlagBits,
  type FlagMode,
  flagsAfter,
  systemFlag,
  systemFlags,
} from '../flags.ts'
import type { AccountId } from '../ids.ts'
import type { Acting } from '../ports/mail-store.ts'
import type { FlagKinds } from './rights.ts'

const seenBit = systemFlags['\\Seen']
const deletedBit = systemFlags['\\Deleted']

/** The account, when it is not the owner; undefined otherwise, and for none. */
export function foreignTo(owner: AccountId, account: AccountId | undefined): AccountId | undefined {
  return account === owner ? undefined : account
}

/** The flags among these that go to where all see them, and whose \Seen is to be set beside them. */
export function divideFlags(
  owner: AccountId,
  flags: readonly Flag[],
  acting: Acting | undefined,
): { flags: readonly Flag[]; seenBy: AccountId | undefined } {
  if (!acting) return { flags, seenBy: undefined }
  const allowed = flags.filter((flag) => mayFlag(acting.may, flag))
  const viewer = foreignTo(owner, acting.account)
  if (viewer === undefined) return { flags: allowed, seenBy: undefined }
  const rest = allowed.filter((flag) => systemFlag(flag) !== '\\Seen')
  return { flags: rest, seenBy: rest.length < allowed.length ? viewer : undefined }
}

/** Whether the flag is among those that may be set. */
export function mayFlag(may: FlagKinds, flag: Flag): boolean {
  const system = systemFlag(flag)
  return system === '\\Seen' ? may.seen : system === '\\Deleted' ? may.deleted : may.others
}

/** The shared flags after a change by somebody who is not the owner; `bits` are those of `divideFlags`. */
export function sharedBits(old: FlagBits, mode: FlagMode, bits: FlagBits, { deleted, others }: FlagKinds): FlagBits {
  if (mode !== 'replace') return flagsAfter(old, mode, bits)
  const kept = (old & seenBit) + (deleted ? 0 : old & deletedBit)
  return bitsUnion(bits, others ? kept : bitsUnion(kept, bitsWithout(old, seenBit + deletedBit)))
}

/** Its own \Seen after the same change; `named`: \Seen is among the flags of the change. */
export function seenAfter(before: boolean, mode: FlagMode, named: boolean, { seen }: FlagKinds): boolean {
  if (!seen) return before
  if (mode === 'replace') return named
  return named ? mode === 'add' : before
}

/** Flags with somebody's \Seen in the place of the owner's. */
export function withSeen(flags: FlagBits, seen: boolean): FlagBits {
  return flags - (flags & seenBit) + (seen ? seenBit : 0)
}
