import type { Account, Credentials, Directory, NewAccount, PolicyMemory, Store } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, type VirtualClock, virtualClock } from '@pennypost/model/testing'

/** The memory engine with accounts in it, whose verbs are counted and can be made to fail. */
export interface People {
  clock: VirtualClock
  directory: Directory
  credentials: Credentials
  memory: PolicyMemory
  add(login: string, password?: string, details?: Partial<NewAccount>): Promise<Account>
  /** Sets what the tests' stand-in for bcrypt takes for the password's verifier. */
  setPassword(account: Account, password: string): Promise<void>
  /** How often each verb was called. */
  calls: Record<string, number>
  /** What every verb rejects with from now on; undefined to work again. */
  fail(error: Error | undefined): void
}

export async function createPeople(): Promise<People> {
  const clock = virtualClock()
  const store: Store = createMemoryStore({ clock, random: seededRandom(4616) })
  const calls: Record<string, number> = {}
  let fault: Error | undefined

  function watched<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get(target, verb: string & keyof Port) {
        const value: unknown = target[verb]
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          calls[verb] = (calls[verb] ?? 0) + 1
          return fault ? Promise.reject(fault) : value.apply(target, given)
        }
      },
    })
  }

  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const setPassword = (account: Account, password: string): Promise<void> =>
    store.credentials.setPassword(account.id, `hash:${password}`, clock.now())
  return {
    clock,
    directory: watched(store.directory),
    credentials: watched(store.credentials),
    memory: watched(store.memory),
    async add(login, password, details = {}) {
      const account = await store.directory.addAccount(
        { login, name: '', quota: 0, admin: false, ...details },
        clock.now(),
      )
      if (password !== undefined) await setPassword(account, password)
      return account
    },
    setPassword,
    calls,
    fail(error) {
      fault = error
    },
  }
}
