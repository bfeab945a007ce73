/**
 * Counts open connections, in all and per network, and says when one is too many. One limiter may serve several
 * listeners: `connections_per_address` of the configuration is over all ports of a service.
 *
 * Never broken: every admitted connection is counted until its slot is disposed, and an address that has none left
 * takes no memory.
 */

/** Why a connection was refused; `draining` when the listener is about to close. */
export type Refusal = 'total' | 'address' | 'draining'

export interface ConnectionLimits {
  /** Open connections in all; 0 = no limit. */
  connections: number
  /** Open connections of one network that have not logged in; 0 = no limit. */
  connectionsPerAddress: number
}

/** One admitted connection's place in the counts. Disposing twice does nothing. */
export interface Slot extends Disposable {
  /** From now on it counts only in all: whoever has logged in is limited per account, by the protocol. */
  leaveAddress(): void
  /** It has logged out: it counts as at first, be it one too many. */
  returnToAddress(): void
}

export interface ConnectionLimiter {
  /** `network` is that of `address` (`networkOf`); '' counts only in all. */
  admit(address: string, network: string): Slot | Refusal
  /** Connections that hold a slot now. */
  readonly open: number
}

/** @returns a limiter; `limits` is read at each admission, so it may be changed while it runs. */
export function createConnectionLimiter(limits: ConnectionLimits): ConnectionLimiter {
  let open = 0
  const perNetwork = new Map<string, number>()

  function slot(network: string): Slot {
    let counted = true
    let atAddress = network !== ''
    const leaveAddress = (): void => {
      if (!atAddress) return
      atAddress = false
      const left = (perNetwork.get(network) ?? 1) - 1
      if (left === 0) perNetwork.delete(network)
      else perNetwork.set(network, left)
    }
    return {
      leaveAddress,
      returnToAddress() {
        if (!counted || atAddress || network === '') return
        atAddress = true
        perNetwork.set(network, (perNetwork.get(network) ?? 0) + 1)
      },
      [Symbol.dispose]() {
        if (!counted) return
        counted = false
        open--
        leaveAddress()
      },
    }
  }

  return {
    admit(_address, network) {
      if (limits.connections > 0 && open >= limits.connections) return 'total'
      if (network !== '') {
        const most = limits.connectionsPerAddress
        const here = perNetwork.get(network) ?? 0
        if (most > 0 && here >= most) return 'address'
        perNetwork.set(network, here + 1)
      }
      open++
      return slot(network)
    },
    get open() {
      return open
    },
  }
}

/** Those for whom `appliesTo` holds count in both limiters, and are refused by either; the others in the first alone. */
export function limitedToo(
  limiter: ConnectionLimiter,
  narrower: ConnectionLimiter,
  appliesTo: (address: string) => boolean,
): ConnectionLimiter {
  return {
    admit(address, network) {
      if (!appliesTo(address)) return limiter.admit(address, network)
      const narrow = narrower.admit(address, network)
      if (typeof narrow === 'string') return narrow
      const wide = limiter.admit(address, network)
      if (typeof wide === 'string') {
        narrow[Symbol.dispose]()
        return wide
      }
      return {
        leaveAddress() {
          narrow.leaveAddress()
          wide.leaveAddress()
        },
        returnToAddress() {
          narrow.returnToAddress()
          wide.returnToAddress()
        },
        [Symbol.dispose]() {
          narrow[Symbol.dispose]()
          wide[Symbol.dispose]()
        },
      }
    },
    get open() {
      return limiter.open
    },
  }
}
