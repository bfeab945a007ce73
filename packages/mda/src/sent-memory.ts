/**
 * Which of our addresses have sent mail: a catch-all takes bounces only for those, since bounces to invented addresses
 * are backscatter. Submission writes the note into its acceptance; the expansion of recipients reads it.
 */
import { type Clock, lookupAddress, type MemoryNote, memoryLimits, type PolicyMemory } from '@pennypost/model'

/** A bounce can come after a week in a queue, and replies to it later still. */
const keptMs = 60 * 86_400_000

/** The note that `reversePath` (an address of ours) has sent; none for `<>` and for what is no address. */
export function sentNotes(reversePath: string, nowMs: number): MemoryNote[] {
  const key = keyOf(reversePath)
  return key === undefined ? [] : [{ kind: 'sent', key, at: nowMs, expiresAt: nowMs + keptMs }]
}

/** Whether the address has sent mail in the last 60 days. */
export async function hasSent(memory: Pick<PolicyMemory, 'recall'>, address: string, clock: Clock): Promise<boolean> {
  const key = keyOf(address)
  return key !== undefined && (await memory.recall('sent', key, clock.now())) !== undefined
}

function keyOf(address: string): string | undefined {
  return lookupAddress(address)?.slice(0, memoryLimits.key)
}
