import { type Account, type AccountId, type Directory, StoreError } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import {
  readAccount,
  readAccountByLogin,
  readAccounts,
  readAlias,
  readAliases,
  readAliasesTo,
  readDomain,
  readDomains,
  readFirstAdministrator,
  readSendAs,
  readUsage,
} from '../reader/directory.ts'
import type { JobArguments, JobResult, Verb } from '../writer/jobs.ts'
import { Lookups } from './lookups.ts'
import { reapGraves } from './mailboxes.ts'

/** Who is who. What every RCPT asks is answered from memory until something changes. */
export class SqliteDirectory implements Directory {
  readonly #engine: Engine
  readonly #onAccess: () => void
  readonly #domains = new Lookups((name: string) => readDomain(this.#engine.reader, name))
  readonly #accounts = new Lookups((login: string) => readAccountByLogin(this.#engine.reader, login))
  readonly #aliases = new Lookups((address: string) => readAlias(this.#engine.reader, address))
  readonly #grants = new Lookups((id: AccountId) => {
    const { reader } = this.#engine
    return readAccount(reader, id) && readSendAs(reader, id)
  })
  #administrator: { account: Account | undefined } | undefined
  #version = 0

  /** `onAccess`: an account was suspended, removed or restored. */
  constructor(engine: Engine, onAccess: () => void) {
    this.#engine = engine
    this.#onAccess = onAccess
  }

  get version(): number {
    return this.#version
  }

  async domain(name: string) {
    this.#engine.reader.requireOpen()
    return this.#domains.get(name)
  }

  async domains() {
    return readDomains(this.#engine.reader)
  }

  async addDomain(domain: Parameters<Directory['addDomain']>[0]) {
    await this.#change('addDomain', domain)
  }

  async updateDomain(...[name, change]: Parameters<Directory['updateDomain']>) {
    await this.#change('updateDomain', { name, ...change })
  }

  async removeDomain(name: string) {
    await this.#change('removeDomain', name)
  }

  async account(id: AccountId) {
    return readAccount(this.#engine.reader, id)
  }

  async accountByLogin(login: string) {
    this.#engine.reader.requireOpen()
    return this.#accounts.get(login)
  }

  async accounts(domain?: string) {
    return readAccounts(this.#engine.reader, domain)
  }

  async firstAdministrator() {
    this.#engine.reader.requireOpen()
    this.#administrator ??= { account: readFirstAdministrator(this.#engine.reader) }
    return this.#administrator.account
  }

  async addAccount(...[account, now]: Parameters<Directory['addAccount']>) {
    const id = (await this.#change('addAccount', { account, now })) as AccountId
    if (account.verifier !== undefined) this.#onAccess()
    return readAccount(this.#engine.reader, id) as Account
  }

  async updateAccount(...[id, change]: Parameters<Directory['updateAccount']>) {
    await this.#change('updateAccount', { id, ...change })
    if (change.suspended !== undefined) this.#onAccess()
    return readAccount(this.#engine.reader, id) as Account
  }

  async removeAccount(id: AccountId, now: number) {
    await this.#change('setRemoved', { id, now })
    this.#onAccess()
  }

  async restoreAccount(id: AccountId) {
    await this.#change('setRemoved', { id, now: null })
    this.#onAccess()
  }

  async purgeAccounts(before: number) {
    let purged = 0
    while (await this.#change('purgeAccount', before)) purged++
    if (purged > 0) reapGraves(this.#engine)
    return purged
  }

  async usage(id: AccountId) {
    return this.#known(readUsage(this.#engine.reader, id))
  }

  async alias(address: string) {
    this.#engine.reader.requireOpen()
    return this.#aliases.get(address)
  }

  async aliases(domain?: string) {
    return readAliases(this.#engine.reader, domain)
  }

  async putAlias(alias: Parameters<Directory['putAlias']>[0]) {
    await this.#change('putAlias', alias)
  }

  async removeAlias(address: string) {
    await this.#change('removeAlias', address)
  }

  async aliasesTo(target: string) {
    return readAliasesTo(this.#engine.reader, target)
  }

  async sendAs(id: AccountId) {
    this.#engine.reader.requireOpen()
    return this.#known(this.#grants.get(id))
  }

  async grantSendAs(id: AccountId, address: string) {
    await this.#change('grantSendAs', { id, address, granted: true })
  }

  async revokeSendAs(id: AccountId, address: string) {
    await this.#change('grantSendAs', { id, address, granted: false })
  }

  #known<Value>(value: Value | undefined): Value {
    if (value === undefined) throw new StoreError('no-such-account', 'no such account')
    return value
  }

  /** Caches are emptied after the commit and before the caller knows of it. */
  async #change<V extends Verb>(verb: V, args: JobArguments<V>): Promise<JobResult<V>> {
    const result = await this.#engine.writer.run(verb, args)
    if (result !== false) {
      this.#version++
      this.#administrator = undefined
      for (const lookups of [this.#domains, this.#accounts, this.#aliases, this.#grants]) lookups.clear()
    }
    return result
  }
}
