/** Verifiers of passwords and app passwords. */
import type { AccountId } from '../ids.ts'
import type { Credential, Credentials } from '../ports/credentials.ts'
import { accountRow, commit, nextId, refuse, requireOpen, type State } from './state.ts'

export function createCredentials(state: State): Credentials {
  const of = (account: number, kind?: Credential['kind']): Credential[] =>
    [...state.credentials.values()].filter((row) => row.account === account && (!kind || row.kind === kind))
  return {
    get version() {
      return state.credentialsVersion
    },
    async list(account) {
      requireOpen(state)
      return of(account)
    },
    async setPassword(account, verifier, now) {
      commit(state, () => {
        accountRow(state, account)
        for (const old of of(account, 'password')) state.credentials.delete(old.id)
        addPassword(state, account, verifier, now)
      })
    },
    async addAppPassword(account, { label, scope, verifier }, now) {
      return commit(state, () => {
        accountRow(state, account)
        const { appPasswordsPerAccount } = state.limits
        if (of(account, 'app').length >= appPasswordsPerAccount) {
          refuse('limit', `An account can have ${appPasswordsPerAccount} app passwords.`)
        }
        return add(state, { account, kind: 'app', label, scope: [...scope], verifier, createdAt: now })
      })
    },
    async findAppPassword(verifier) {
      requireOpen(state)
      return [...state.credentials.values()].find((row) => row.kind === 'app' && row.verifier === verifier)
    },
    async remove(account, id) {
      return commit(state, () => {
        if (state.credentials.get(id)?.account !== account) return false
        state.credentialsVersion++
        return state.credentials.delete(id)
      })
    },
    async setScram(id, scram) {
      commit(state, () => {
        const row = state.credentials.get(id)
        if (row) state.credentials.set(id, { ...row, scram })
      })
    },
    async touch(id, now) {
      commit(state, () => {
        const row = state.credentials.get(id)
        if (row) state.credentials.set(id, { ...row, lastUsedAt: now })
      })
    },
  }
}

export function addPassword(state: State, account: AccountId, verifier: string, now: number): void {
  add(state, { account, kind: 'password', label: '', scope: [], verifier, createdAt: now })
}

function add(state: State, row: Omit<Credential, 'id' | 'lastUsedAt' | 'scram'>): Credential {
  const credential = { ...row, id: nextId(state), scram: null, lastUsedAt: null }
  state.credentials.set(credential.id, credential)
  state.credentialsVersion++
  return credential
}
