import type { Accepted, Queue, QueueEntryId } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import { flowRows, packAcceptances } from '../pack.ts'
import { listEntries, readClaimed, readCounts, readEntry, readNextDueAt } from '../reader/queue.ts'
import { consuming } from './arrival.ts'

/** Mail under way. */
export function createQueue(engine: Engine): Queue {
  const { reader, writer, clock, watchers } = engine
  return {
    async claim({ slots, retries = slots, ...request }) {
      return readClaimed(reader, await writer.run('claim', { ...request, slots, retries }), request.now)
    },
    async claimOne(entry, now, leaseMs) {
      return readClaimed(reader, await writer.run('claimOne', { entry, now, leaseMs }), now)[0]
    },
    async renew(leases, now, leaseMs) {
      return (await writer.run('renew', { leases, until: now + leaseMs })) as QueueEntryId[]
    },
    settle({ accept, flow, ...settlement }) {
      const contents = accept.map(({ message }) => message.content)
      return consuming(engine, contents, async (packing) => {
        const packed = packAcceptances(accept, clock.now(), packing)
        const args = { ...settlement, accept: packed, flow: flowRows(flow) }
        return (await writer.run('settle', args, packing)) as unknown as Accepted[]
      })
    },
    async nextDueAt() {
      return readNextDueAt(reader, clock.now())
    },
    watch(onWake) {
      reader.requireOpen()
      return watchers.watchQueue(onWake)
    },
    async get(id) {
      return readEntry(reader, id, clock.now())
    },
    list: (filter) => listEntries(reader, clock, filter),
    async counts(now) {
      return readCounts(reader, now)
    },
    hold: (entries) => writer.run('hold', entries),
    release: (entries, now) => writer.run('release', { entries, now }),
    retryNow: (entries, now) => writer.run('retryNow', { entries, now }),
    redirect: (entries, destination, now) => writer.run('redirect', { entries, destination, now }),
    remove: (entries) => writer.run('removeEntries', entries),
  }
}
