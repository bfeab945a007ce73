import { BlockList, isIP } from 'node:net'
import { isLoopback } from '@pennypost/model'

/** Whether an address is in one of them. */
export type Networks = (address: string) => boolean

/**
 * A list of addresses and networks (`192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`) as a question.
 * @throws RangeError for what is neither, so that a mistyped network is found at start and not by whom it lets in.
 */
export function networks(list: readonly string[]): Networks {
  const known = new BlockList()
  for (const entry of list) {
    const [address = '', prefix, ...rest] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    const most = family === 'ipv6' ? 128 : 32
    const length = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (isIP(address) === 0 || length < 0 || length > most || rest.length > 0) {
      throw new RangeError(`not an address or network: ${entry}`)
    }
    known.addSubnet(address, length, family)
  }
  return (address) => isIP(address) !== 0 && known.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** This machine itself: nobody there is a stranger. A Unix socket has the address ''. */
export const isThisMachine: Networks = (address) => address === '' || isLoopback(address)
