import { silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { openContentFilters } from './content-filters.ts'

test('a filter that says nothing is an error once a day, not for each message', async () => {
  const text = 'hostname = "mx.one.test"\n[[policy.filter]]\nkind = "clamav"\nat = "/run/clamd.ctl"\n'
  const clock = virtualClock()
  const told: unknown[] = []
  const log = { ...silentLog, error: (...said: unknown[]) => void told.push(said) }
  const dialer = { connect: () => Promise.reject(new Error()), secure: () => Promise.reject(new Error()) }
  const [filter] = await openContentFilters({ config: checkConfig('p.toml', text), base: '/', dialer, clock, log })
  const tell = () => filter?.onUnavailable?.('clamav: connect ENOENT')
  tell()
  tell()
  expect(told).toEqual([[{ filter: 'clamav' }, 'a filter says nothing of mail: clamav: connect ENOENT']])
  await clock.advance(86_400_000)
  tell()
  expect(told).toHaveLength(2)
})
