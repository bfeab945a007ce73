/** What of the configuration decides whose mail is ours. */
import { networkInterfaces } from 'node:os'
import { expect, test, vi } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { ownLiterals } from './relaying.ts'

vi.mock('node:os', { spy: true })

test('mail for the postmaster of an address of this machine was relaying, where the configuration does not repeat it', () => {
  const inside = { netmask: '', mac: '', internal: false, cidr: null }
  vi.mocked(networkInterfaces).mockReturnValue({
    lo: [{ ...inside, family: 'IPv4', address: '127.0.0.1', internal: true }],
    eth0: [{ ...inside, family: 'IPv6', address: '2001:db8::1', scopeid: 0 }],
  })
  const listeners = ['203.0.113.10', '::', '127.0.0.1'].map((address, nth) => {
    return `[[listener]]\nservice = "smtp"\naddress = "${address}"\nport = ${2525 + nth}\n`
  })
  const relay = '[relay]\nown_addresses = ["198.51.100.7"]\n'
  const config = checkConfig('test.toml', `hostname = "mail.one.test"\n${relay}${listeners.join('')}`)
  expect(ownLiterals(config)).toEqual(['[198.51.100.7]', '[203.0.113.10]', '[IPv6:2001:db8::1]'])
})
