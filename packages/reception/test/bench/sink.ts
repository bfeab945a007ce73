/**
 * Reception over a store that keeps nothing, in a process of its own: what a message costs before any engine.
 *
 *     node packages/reception/test/bench/sink.ts [PORT] &
 *     mailload smtp -P PORT -c 20 -n 5000 -U 20 -k $!
 */
import {
  type Accepted,
  type ContentStage,
  systemClock as clock,
  systemDeadline as deadline,
  type Log,
  systemRandom as random,
  silentLog,
} from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { createConnectionLimiter } from '@pennypost/transport'
import { defaultReceptionLimits, openReception } from '../../src/index.ts'
import { plainOptions } from '../plain-options.ts'

const log: Log = {
  ...silentLog,
  error: (facts, text) => void process.stderr.write(`${text} ${JSON.stringify(facts)}\n`),
  child: () => log,
}
const memory = createMemoryStore({ clock, random })
await memory.directory.addDomain({ name: 'example.test', kind: 'local', target: '', catchAll: '' })
for (let at = 0; at < 200; at++) {
  const login = `user${at}@example.test`
  await memory.directory.addAccount({ login, name: '', quota: 0, admin: false }, clock.now())
}

const nothing = async (): Promise<void> => {}
function stage(): ContentStage {
  let size = 0
  return {
    write(chunk) {
      size += chunk.length
      return undefined
    },
    finish: async () => ({ size, async *read() {}, discard: nothing }),
    discard: nothing,
  }
}

const store = {
  ...memory,
  mail: {
    ...memory.mail,
    stage,
    reserve: () => ({ [Symbol.dispose]() {} }),
    accept: async (acceptances: readonly { journey: Accepted['journey'] }[]) =>
      acceptances.map(({ journey }): Accepted => ({ journey, repeated: false, filed: [], queued: [] })),
  },
}
const listener = await openReception(
  {
    service: 'smtp',
    endpoint: { address: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
    limiter: createConnectionLimiter({ connections: 0, connectionsPerAddress: 0 }),
  },
  {
    ...plainOptions({ hostname: 'mail.example.test', store, clock, deadline, random, log }),
    limits: { ...defaultReceptionLimits, transactionsPerConnection: 1_000_000 },
  },
)
process.stdout.write(`${listener.bound.port}\n`)
process.on('SIGTERM', () => process.exit(0))
