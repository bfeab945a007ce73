import type { AccountId, Credential, Credentials } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import { readAppPassword, readCredential, readCredentials } from '../reader/directory.ts'
import { Lookups } from './lookups.ts'

/** One use an hour is enough for "last used". Milliseconds. */
const touchMs = 3_600_000

/** Verifiers of passwords and app passwords. */
export class SqliteCredentials implements Credentials {
  readonly #engine: Engine
  readonly #lists = new Lookups((account: AccountId) => readCredentials(this.#engine.reader, account))
  readonly #touched = new Map<number, number>()
  #version = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get version(): number {
    return this.#version
  }

  /** A verifier was set or removed, or an account suspended, removed or restored. */
  changed(): void {
    this.#version++
    this.#lists.clear()
  }

  async list(account: AccountId) {
    this.#engine.reader.requireOpen()
    return [...this.#lists.get(account)]
  }

  async setPassword(account: AccountId, verifier: string, now: number) {
    await this.#engine.writer.run('setPassword', { account, verifier, now })
    this.changed()
  }

  async addAppPassword(...[account, app, now]: Parameters<Credentials['addAppPassword']>) {
    const id = await this.#engine.writer.run('addAppPassword', { account, ...app, now })
    this.changed()
    return readCredential(this.#engine.reader, id) as Credential
  }

  async findAppPassword(verifier: string) {
    return readAppPassword(this.#engine.reader, verifier)
  }

  async remove(account: AccountId, id: number) {
    const removed = await this.#engine.writer.run('removeCredential', { account, id })
    if (removed) this.changed()
    return removed
  }

  async setScram(id: number, scram: string) {
    await this.#engine.writer.run('setScram', { id, scram })
    this.#lists.clear()
  }

  async touch(id: number, now: number) {
    if (now - (this.#touched.get(id) ?? Number.NEGATIVE_INFINITY) < touchMs) return
    this.#touched.set(id, now)
    await this.#engine.writer.run('touchCredential', { id, now })
    this.#lists.clear()
  }
}
