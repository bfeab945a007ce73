import {
  type Account,
  accountId,
  type Credential,
  type Credentials,
  type Directory,
  type MemoryNote,
  type PolicyMemory,
} from '@pennypost/model'

/** A directory, credentials and a memory that a test fills; every verb is counted. */
export interface People {
  directory: Pick<Directory, 'account' | 'accountByLogin' | 'version'>
  credentials: Credentials
  memory: PolicyMemory
  add(login: string, details?: Partial<Account>): Account
  change(account: Account, details: Partial<Account>): void
  /** How often each verb was asked. */
  asked: Record<string, number>
  /** What every verb of the store answers with from now on. */
  fail(error: Error | undefined): void
}

export function createPeople(): People {
  const accounts = new Map<number, Account>()
  let all: Credential[] = []
  const notes = new Map<string, MemoryNote>()
  const versions = { directory: 1, credentials: 1 }
  const asked: Record<string, number> = {}
  let fault: Error | undefined
  let nextId = 1

  async function answer<Result>(verb: string, result: () => Result): Promise<Result> {
    asked[verb] = (asked[verb] ?? 0) + 1
    if (fault) throw fault
    return result()
  }

  const credentials: Credentials = {
    list: (account) => answer('list', () => all.filter((one) => one.account === account)),
    setPassword: (account, verifier, now) =>
      answer('setPassword', () => {
        all = all.filter((one) => one.account !== account || one.kind !== 'password')
        const details = { label: '', scope: [], lastUsedAt: null }
        all.push({ id: nextId++, account, kind: 'password', verifier, createdAt: now, ...details })
        versions.credentials++
      }),
    addAppPassword: (account, app, now) =>
      answer('addAppPassword', () => {
        const made: Credential = { id: nextId++, account, kind: 'app', createdAt: now, lastUsedAt: null, ...app }
        all.push(made)
        versions.credentials++
        return made
      }),
    findAppPassword: (verifier) => answer('findAppPassword', () => all.find((one) => one.verifier === verifier)),
    remove: (account, id) =>
      answer('remove', () => {
        const before = all.length
        all = all.filter((one) => one.account !== account || one.id !== id)
        versions.credentials++
        return all.length < before
      }),
    touch: (id, now) =>
      answer('touch', () => {
        const one = all.find((credential) => credential.id === id)
        if (one) one.lastUsedAt = now
      }),
    get version() {
      return versions.credentials
    },
  }

  return {
    asked,
    credentials,
    directory: {
      account: (id) => answer('account', () => accounts.get(id)),
      accountByLogin: (login) =>
        answer('accountByLogin', () => [...accounts.values()].find((one) => one.login === login)),
      get version() {
        return versions.directory
      },
    },
    memory: {
      note: (made) => answer('note', () => void made.map((note) => notes.set(`${note.kind} ${note.key}`, note))),
      recall: (kind, key, now) =>
        answer('recall', () => {
          const note = notes.get(`${kind} ${key}`)
          const value = { value: '', count: 1, firstAt: note?.at ?? 0, lastAt: note?.at ?? 0 }
          return note && note.expiresAt > now ? value : undefined
        }),
      forget: (kind, key) => answer('forget', () => void notes.delete(`${kind} ${key}`)),
      prune: () => answer('prune', () => 0),
    },
    add(login, details = {}) {
      const id = accountId(accounts.size + 1)
      const plain = { name: '', quota: 0, suspended: false, admin: false, createdAt: 0, removedAt: null }
      const account: Account = { id, login, ...plain, ...details }
      accounts.set(id, account)
      versions.directory++
      return account
    },
    change(account, details) {
      accounts.set(account.id, { ...account, ...details })
      versions.directory++
      versions.credentials++
    },
    fail(error) {
      fault = error
    },
  }
}
