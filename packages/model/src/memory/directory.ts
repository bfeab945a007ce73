/** Domains, aliases and grants; accounts are beside it. */
import type { Account, Directory } from '../ports/directory.ts'
import { domainOf } from '../rules/address.ts'
import { createAccounts } from './accounts.ts'
import { accountRow, commit, compareText, refuse, requireOpen, type State } from './state.ts'

export function createDirectory(state: State): Directory {
  return {
    get version() {
      return state.directoryVersion
    },
    ...createDomains(state),
    ...createAccounts(state),
    ...createAliases(state),
    ...createGrants(state),
  }
}

/** Runs a change of the directory. */
function change<Result>(state: State, work: () => Result): Result {
  return commit(state, () => {
    const result = work()
    state.directoryVersion++
    return result
  })
}

type Domains = Pick<Directory, 'domain' | 'domains' | 'addDomain' | 'updateDomain' | 'removeDomain'>

function createDomains(state: State): Domains {
  const known = (name: string) => state.domains.get(name) ?? refuse('no-such-domain', `There is no domain ${name}.`)
  return {
    async domain(name) {
      requireOpen(state)
      return state.domains.get(name)
    },
    async domains() {
      requireOpen(state)
      return [...state.domains.values()].sort((a, b) => compareText(a.name, b.name))
    },
    async addDomain(domain) {
      change(state, () => {
        if (state.domains.has(domain.name)) refuse('exists', `The domain ${domain.name} exists.`)
        state.domains.set(domain.name, { verifyRecipients: false, ...domain })
      })
    },
    async updateDomain(name, changed) {
      change(state, () => state.domains.set(name, { ...known(name), ...changed }))
    },
    async removeDomain(name) {
      change(state, () => {
        known(name)
        const logins = [...state.accounts.values()].map((row) => row.account.login)
        if ([...logins, ...state.aliases.keys()].some((address) => domainOf(address) === name)) {
          refuse('exists', `Accounts or aliases are in ${name}.`)
        }
        state.domains.delete(name)
      })
    },
  }
}

type Aliases = Pick<Directory, 'alias' | 'aliases' | 'putAlias' | 'removeAlias' | 'aliasesTo'>

function createAliases(state: State): Aliases {
  const sorted = () => [...state.aliases.values()].sort((a, b) => compareText(a.address, b.address))
  return {
    async alias(address) {
      requireOpen(state)
      return state.aliases.get(address)
    },
    async aliases(domain) {
      requireOpen(state)
      return sorted().filter((alias) => domain === undefined || domainOf(alias.address) === domain)
    },
    async putAlias(alias) {
      change(state, () => {
        if (!state.domains.has(domainOf(alias.address)))
          refuse('no-such-domain', 'The domain of the alias is not here.')
        const has = ({ login, removedAt }: Account) => login === alias.address && removedAt === null
        if ([...state.accounts.values()].some(({ account }) => has(account))) {
          refuse('exists', `An account has the address ${alias.address}.`)
        }
        state.aliases.set(alias.address, { address: alias.address, targets: [...alias.targets] })
      })
    },
    async removeAlias(address) {
      change(state, () => state.aliases.delete(address) || refuse('no-such-alias', `There is no alias ${address}.`))
    },
    async aliasesTo(target) {
      requireOpen(state)
      return sorted().filter((alias) => alias.targets.includes(target))
    },
  }
}

function createGrants(state: State): Pick<Directory, 'sendAs' | 'grantSendAs' | 'revokeSendAs'> {
  return {
    async sendAs(id) {
      requireOpen(state)
      return [...accountRow(state, id).sendAs].sort(compareText)
    },
    async grantSendAs(id, address) {
      change(state, () => accountRow(state, id).sendAs.add(address))
    },
    async revokeSendAs(id, address) {
      change(state, () => accountRow(state, id).sendAs.delete(address))
    },
  }
}
