import { hash } from 'node:crypto'
import type { Account, Clock, Credentials, Directory, Log, PolicyMemory, Random } from '@pennypost/model'
import type { AuthenticationFailure, AuthenticationResult, LoginAttempt } from './authentication.ts'
import { QueueFull } from './bounded-queue.ts'
import { ExpiringMap } from './expiring-map.ts'
import { KnownNetworks } from './known-networks.ts'
import { loginForLog, lookupLogin } from './login-name.ts'
import type { Mechanism, PasswordClaim, ScramSalt } from './mechanism.ts'
import { createMechanisms } from './mechanisms.ts'
import type { Passwords } from './passwords.ts'
import { type Proof, ProofCheck } from './proof-check.ts'
import { scramSalt } from './scram-verifier.ts'
import { Throttle } from './throttle.ts'
import type { TokenCheck } from './token-check.ts'

/**
 * Is this claim true, and may it be tried? The one place where submission, POP3 and IMAP ask.
 *
 * Never broken: an unknown account and a wrong password get the same answer after the same work; a password is kept
 * nowhere, only a digest under a secret that dies with the process; a changed, removed or suspended credential ends what
 * was cached of it at once (`Credentials.version`); wrong passwords from elsewhere never slow a network from which
 * somebody has logged in.
 */

export interface AuthenticatorLimits {
  /** Different wrong passwords, per network and per login name; 0 = no limit. */
  failuresPerMinute: number
  /** How long an answer is kept: a right password, a wrong one. */
  cacheMs: number
  failureCacheMs: number
  cacheEntries: number
  /** Networks and login names that are counted at a time; beyond, the oldest are forgotten. */
  trackedKeys: number
  /** A known network beyond its limit waits this long, times those of it that wait already, up to the ceiling. */
  slowMs: number
  slowestMs: number
  /** Octets of a password; longer ones are wrong. */
  passwordOctets: number
}

const defaultAuthenticatorLimits: AuthenticatorLimits = {
  failuresPerMinute: 10,
  cacheMs: 600_000,
  failureCacheMs: 60_000,
  cacheEntries: 10_000,
  trackedKeys: 20_000,
  slowMs: 1_000,
  slowestMs: 20_000,
  passwordOctets: 1_024,
}

export interface AuthenticatorOptions {
  directory: Pick<Directory, 'account' | 'accountByLogin' | 'version'>
  credentials: Credentials
  memory: PolicyMemory
  passwords: Passwords
  /** The server's secret of at least 32 octets, under which app passwords are looked up. */
  secret: Buffer
  /** What counts as one client: `networkOf` of `@pennypost/transport`. '' = not counted by network. */
  networkOf(address: string): string
  clock: Clock
  random: Random
  log: Log
  limits?: Partial<AuthenticatorLimits>
  /** Offer SCRAM: for installations in which every account has a verifier for it (`Credential.scram`). Default false. */
  scram?: boolean
  /** Who issues bearer tokens; absent: no OAUTHBEARER and XOAUTH2. */
  tokens?: TokenCheck
}

export interface Authenticator {
  /** What can be offered, before one looks at the connection (`usableMechanisms`). */
  readonly mechanisms: readonly Mechanism[]
  /** Never rejects. */
  authenticate(attempt: LoginAttempt): Promise<AuthenticationResult>
  /** What a SCRAM exchange for this login name begins with, whether or not there is such an account. */
  scramSalt(login: string): ScramSalt
}

const failure = (reason: AuthenticationFailure): AuthenticationResult => ({ ok: false, reason })

/** @returns the authenticator of this process; it belongs to no connection and is shared by all services. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return new CachingAuthenticator(options, { ...defaultAuthenticatorLimits, ...options.limits })
}

class CachingAuthenticator implements Authenticator {
  readonly mechanisms: readonly Mechanism[]
  readonly #options: AuthenticatorOptions
  readonly #limits: AuthenticatorLimits
  readonly #check: ProofCheck
  readonly #cacheSecret: string
  readonly #right: ExpiringMap<Proof>
  /** Wrong passwords, with the version of the credentials under which they were wrong. */
  readonly #wrong: ExpiringMap<number>
  readonly #throttle: Throttle
  readonly #networks: KnownNetworks
  /** Checks under way: ten connections that a client opens at once ask once. */
  readonly #running = new Map<string, Promise<Proof | undefined>>()
  /** Attempts of known networks that are being slowed. */
  readonly #slowed = new Map<string, number>()

  constructor(options: AuthenticatorOptions, limits: AuthenticatorLimits) {
    const { clock, memory, log, random, tokens, scram = false } = options
    this.mechanisms = createMechanisms({ random, scram, tokens })
    this.#options = options
    this.#limits = limits
    this.#check = new ProofCheck(options)
    this.#cacheSecret = options.random.bytes(32).toString('hex')
    this.#right = new ExpiringMap(clock, { maxAgeMs: limits.cacheMs, maxEntries: limits.cacheEntries })
    this.#wrong = new ExpiringMap(clock, { maxAgeMs: limits.failureCacheMs, maxEntries: limits.cacheEntries })
    this.#throttle = new Throttle(clock, { perMinute: limits.failuresPerMinute, maxTracked: limits.trackedKeys })
    this.#networks = new KnownNetworks(memory, clock, log, limits.trackedKeys)
  }

  async authenticate(attempt: LoginAttempt): Promise<AuthenticationResult> {
    try {
      return await this.#decide(attempt)
    } catch (error) {
      // The store's own words go to the log; a full queue is no fault of anybody's and is said by its name alone.
      const text = error instanceof QueueFull ? 'password checks are queued up' : 'login could not be checked'
      const login = 'login' in attempt ? loginForLog(attempt.login) : ''
      this.#options.log.warn({ login, service: attempt.service, error: String(error) }, text)
      return failure('unavailable')
    }
  }

  scramSalt(login: string): ScramSalt {
    return scramSalt(this.#options.secret, lookupLogin(login))
  }

  async #decide(attempt: LoginAttempt): Promise<AuthenticationResult> {
    const network = this.#options.networkOf(attempt.address)
    const proof =
      attempt.kind === 'password' ? await this.#byPassword(attempt, network) : await this.#once(attempt, network)
    if (proof === 'throttled') return failure('throttled')
    if (!proof || !opens(proof, attempt.service)) return failure('invalid')
    if (proof.account.suspended) return failure('suspended')
    this.#networks.welcome(network)
    this.#check.touch(proof)
    const acting = await this.#actAs(proof.account, attempt.authzid)
    return acting.ok && proof.serverSignature ? { ...acting, serverSignature: proof.serverSignature } : acting
  }

  async #byPassword(claim: LoginAttempt & PasswordClaim, network: string): Promise<Proof | undefined | 'throttled'> {
    const login = lookupLogin(claim.login)
    const key = this.#keyOf(login, claim.password)
    const known = await this.#remembered(key)
    if (known) return known
    const attempt = { login, network, key, client: claim.client }
    if (!(await this.#mayTry(attempt))) return 'throttled'
    if (this.#wrong.get(key) === this.#options.credentials.version) return undefined
    return this.#settled(attempt, claim.kind, this.#prove(login, claim.password, key))
  }

  /** What proves itself anew each time: nothing of it is worth remembering, and each failure counts. */
  async #once(claim: Exclude<LoginAttempt, PasswordClaim>, network: string): Promise<Proof | undefined | 'throttled'> {
    // The certificate was checked by TLS; whoever shows one that is nobody's here guesses nothing.
    if (claim.kind === 'certificate') return this.#check.proveCertificate(claim.addresses, claim.authzid)
    const login = claim.kind === 'scram' ? lookupLogin(claim.login) : ''
    const key = this.#keyOf(login, claim.kind === 'scram' ? `scram\0${claim.authMessage}` : `token\0${claim.token}`)
    const attempt = { login, network, key, client: claim.client }
    if (!(await this.#mayTry(attempt))) return 'throttled'
    const proving = claim.kind === 'scram' ? this.#check.proveScram(login, claim) : this.#check.proveToken(claim.token)
    return this.#settled(attempt, claim.kind, proving)
  }

  /** The outcome of an attempt; only one that was wrong stays charged. */
  async #settled(attempt: Attempt, by: string, proving: Promise<Proof | undefined>): Promise<Proof | undefined> {
    const { login, network, key } = attempt
    let isWrong = false
    try {
      const proof = await proving
      isWrong = proof === undefined
      if (isWrong) this.#options.log.info({ login: loginForLog(login), network, by }, 'login not proved')
      return proof
    } finally {
      if (!isWrong && network !== '') this.#throttle.refund(`network ${network}`, key)
      if (!isWrong && login !== '') this.#throttle.refund(`login ${login}`, key)
    }
  }

  /** A right password of the last minutes, if nothing has changed since that could make it wrong. */
  async #remembered(key: string): Promise<Proof | undefined> {
    const known = this.#right.get(key)
    if (!known || this.#check.isCurrent(known)) return known
    const renewed = await this.#check.renew(known)
    if (renewed) this.#right.set(key, renewed)
    else this.#right.delete(key)
    return renewed
  }

  /** Charges the attempt. False when it must not even be looked at; true, perhaps after a while. */
  async #mayTry({ login, network, key, client }: Attempt): Promise<boolean> {
    const { failuresPerMinute } = this.#limits
    if (failuresPerMinute === 0) return true
    const here = network === '' ? 0 : this.#throttle.charge(`network ${network}`, key)
    // Who is not heard counts against no name: by names that he makes up he would push out the counts of all others.
    const isHeard = here <= failuresPerMinute || (await this.#networks.has(network))
    const anywhere = login === '' || !isHeard ? 0 : this.#throttle.charge(`login ${login}`, key)
    const isOverByName = anywhere > failuresPerMinute && here <= failuresPerMinute
    if (!isHeard || (isOverByName && !(await this.#networks.has(network)))) {
      this.#options.log.info({ login: loginForLog(login), network }, 'login throttled')
      return false
    }
    if (here <= failuresPerMinute) return true
    await this.#slow(network)
    // Whoever does not stay to wait takes none of the work that others wait for.
    return client?.hasLeft !== true
  }

  async #slow(network: string): Promise<void> {
    const waiting = (this.#slowed.get(network) ?? 0) + 1
    this.#slowed.set(network, waiting)
    const delayMs = Math.min(waiting * this.#limits.slowMs, this.#limits.slowestMs)
    await new Promise<void>((resolve) => this.#options.clock.after(delayMs, resolve))
    const left = this.#slowed.get(network)! - 1
    if (left === 0) this.#slowed.delete(network)
    else this.#slowed.set(network, left)
  }

  async #prove(login: string, password: string, key: string): Promise<Proof | undefined> {
    const { version } = this.#options.credentials
    // One that began before a change of credentials answers for none that comes behind it.
    const check = `${version} ${key}`
    let running = this.#running.get(check)
    if (!running) {
      const tooLong = Buffer.byteLength(password) > this.#limits.passwordOctets
      running = this.#check.prove(tooLong ? '' : login, tooLong ? 'too long' : password)
      this.#running.set(check, running)
      void running.catch(() => {}).finally(() => this.#running.delete(check))
    }
    const found = await running
    // Who was logged out while it was being checked would be back.
    const proof = found && !this.#check.isCurrent(found) ? await this.#check.renew(found) : found
    if (!proof) {
      this.#wrong.set(key, version)
      return undefined
    }
    this.#check.provideScram(proof, password)
    this.#right.set(key, proof)
    return proof
  }

  async #actAs(actor: Account, authzid: string | undefined): Promise<AuthenticationResult> {
    const target = authzid === undefined ? actor.login : lookupLogin(authzid)
    if (target === actor.login) return { ok: true, account: actor, actor }
    const account = actor.admin ? await this.#options.directory.accountByLogin(target) : undefined
    if (!account || account.removedAt !== null) return failure('invalid')
    if (account.suspended) return failure('suspended')
    this.#options.log.info({ login: account.login, by: actor.login }, 'an administrator acts for another account')
    return { ok: true, account, actor }
  }

  #keyOf(login: string, password: string): string {
    // A login name in lookup form has no NUL, so the two cannot be shifted against each other. It never leaves the process,
    // so nobody can lengthen what was digested: no HMAC is needed, which would cost four times as much for each login.
    return hash('sha256', `${this.#cacheSecret}${login}\0${password}`, 'base64')
  }
}

/** What the throttle counts. */
interface Attempt {
  /** In lookup form; '' for who brings a token, which names no login. */
  login: string
  network: string
  /** Tells it from others of the same login and network. */
  key: string
  client: LoginAttempt['client']
}

/** A token or a certificate opens every service. */
function opens({ credential }: Proof, service: string): boolean {
  return !credential || credential.scope.length === 0 || credential.scope.includes(service)
}
