import type { Account, Clock, Credential, Credentials, Log } from '@pennypost/model'
import { appPasswordVerifier } from './app-password.ts'
import type { AuthenticatorOptions } from './authenticator.ts'
import { lookupLogin } from './login-name.ts'
import type { ScramClaim } from './mechanism.ts'
import type { Passwords } from './passwords.ts'
import {
  checkScramProof,
  formatScramVerifier,
  makeScramVerifier,
  scramSalt,
  unprovable,
  usableScramVerifier,
} from './scram-verifier.ts'
import type { TokenCheck } from './token-check.ts'

/**
 * Finds the account and credential that a claim proves, and tells whether an old proof still holds. Called by the authenticator,
 * which decides whether it may be asked at all.
 *
 * Never broken: without account, without password credential, with an app password that is nobody's: each costs one
 * bcrypt comparison, as a wrong password does; and a SCRAM exchange as much as one with a wrong proof.
 */

export interface Proof {
  account: Account
  /** Absent for what is not ours to keep: a token, a certificate. */
  credential?: Credential
  /** With which we prove ourselves to a SCRAM client. */
  serverSignature?: Buffer
  /** Of credentials and directory when this was found. */
  credentialsVersion: number
  directoryVersion: number
}

type ProofOptions = Pick<
  AuthenticatorOptions,
  'directory' | 'credentials' | 'passwords' | 'secret' | 'tokens' | 'clock' | 'log'
>

// Engines may keep only one use an hour; asking more often is for nothing.
const touchEveryMs = 3_600_000

export class ProofCheck {
  readonly #directory: ProofOptions['directory']
  readonly #credentials: Credentials
  readonly #passwords: Passwords
  readonly #secret: Buffer
  readonly #tokens: TokenCheck | undefined
  readonly #clock: Clock
  readonly #log: Log
  /** When each credential's use was last noted; by id, so no larger than the credentials are many. */
  readonly #touched = new Map<number, number>()
  #makesScram = false

  constructor(options: ProofOptions) {
    this.#directory = options.directory
    this.#credentials = options.credentials
    this.#passwords = options.passwords
    this.#secret = options.secret
    this.#tokens = options.tokens
    this.#clock = options.clock
    this.#log = options.log
  }

  /** `login` in lookup form. Undefined when the password proves nothing. Rejects with `QueueFull` or a `StoreError`. */
  async prove(login: string, password: string): Promise<Proof | undefined> {
    // Taken first: a change while we look makes the proof an old one, never a wrong one.
    const versions = this.#versions()
    const account = await this.#accountOf(login)
    const app = await this.#appPassword(account, password)
    if (account && app) return { account, credential: app, ...versions }
    const own = account && (await this.#credentials.list(account.id)).find(({ kind }) => kind === 'password')
    if (!account || !own) {
      await this.#passwords.pretend(password)
      return undefined
    }
    if (await this.#passwords.verify(password, own.verifier)) return { account, credential: own, ...versions }
    await this.#passwords.pretend(password, own.verifier)
    return undefined
  }

  /** `login` in lookup form. All credentials of an account share the salt, so the proof may be over any of them. */
  async proveScram(login: string, { authMessage, proof }: ScramClaim): Promise<Proof | undefined> {
    const versions = this.#versions()
    const account = await this.#accountOf(login)
    const credentials = account ? await this.#credentials.list(account.id) : []
    for (const credential of credentials.length > 0 ? credentials : [undefined]) {
      // As much is computed for who is not there, or cannot log in so.
      const verifier = usableScramVerifier(this.#secret, login, credential?.scram ?? null) ?? unprovable
      const serverSignature = checkScramProof(verifier, authMessage, proof)
      if (account && credential && serverSignature) return { account, credential, serverSignature, ...versions }
    }
    return undefined
  }

  /** Rejects when the issuer of tokens does not answer. */
  async proveToken(token: string): Promise<Proof | undefined> {
    const login = await this.#tokens?.loginOf(token)
    return login === undefined ? undefined : this.#bare(lookupLogin(login))
  }

  /** The account that the client wants among those that its certificate names, else the first that there is. */
  async proveCertificate(addresses: readonly string[], wanted: string | undefined): Promise<Proof | undefined> {
    const logins = addresses.map(lookupLogin)
    const target = wanted === undefined ? undefined : lookupLogin(wanted)
    for (const login of target !== undefined && logins.includes(target) ? [target] : logins) {
      const proof = await this.#bare(login)
      if (proof) return proof
    }
    return undefined
  }

  /**
   * After a right password: makes what SCRAM needs of it, where the credential has none under the account's salt. Nobody
   * waits for it. One at a time, and who comes meanwhile is left to a later login: when all log in at once, as after a
   * restart, the threads are for passwords and mail, and no password waits in memory.
   */
  provideScram({ account, credential }: Proof, password: string): void {
    if (!credential || usableScramVerifier(this.#secret, account.login, credential.scram)) return
    if (this.#makesScram) return
    this.#makesScram = true
    const store = async (): Promise<void> => {
      const verifier = await makeScramVerifier(password, scramSalt(this.#secret, account.login))
      if (verifier) await this.#credentials.setScram(credential.id, formatScramVerifier(verifier))
    }
    store()
      .catch((error: Error) => {
        this.#log.warn({ credential: credential.id, error: error.message }, 'no verifier for SCRAM could be stored')
      })
      .finally(() => {
        this.#makesScram = false
      })
  }

  /** Nothing at all has changed since. */
  isCurrent(proof: Proof): boolean {
    return proof.credentialsVersion === this.#credentials.version && proof.directoryVersion === this.#directory.version
  }

  /** The proof as of now, if this very credential is still the account's; no password is needed to see that. */
  async renew(proof: Proof): Promise<Proof | undefined> {
    const versions = this.#versions()
    const [account, credentials] = await Promise.all([
      this.#directory.account(proof.account.id),
      this.#credentials.list(proof.account.id),
    ])
    if (!account || account.removedAt !== null || account.login !== proof.account.login) return undefined
    const same = credentials.find(({ id, verifier }) => {
      return id === proof.credential?.id && verifier === proof.credential.verifier
    })
    return same && { account, credential: same, ...versions }
  }

  /** Notes the use; nobody waits for it. */
  touch({ credential }: Proof): void {
    if (!credential) return
    const elapsed = this.#clock.elapsed()
    const last = this.#touched.get(credential.id)
    if (last !== undefined && elapsed - last < touchEveryMs) return
    this.#touched.set(credential.id, elapsed)
    this.#credentials.touch(credential.id, this.#clock.now()).catch((error: Error) => {
      this.#log.warn({ credential: credential.id, error: error.message }, 'use of a credential could not be noted')
    })
  }

  /** `login` in lookup form. */
  async #accountOf(login: string): Promise<Account | undefined> {
    const found = login === '' ? undefined : await this.#directory.accountByLogin(login)
    return found?.removedAt === null ? found : undefined
  }

  async #bare(login: string): Promise<Proof | undefined> {
    const versions = this.#versions()
    const account = await this.#accountOf(login)
    return account && { account, ...versions }
  }

  #versions(): { credentialsVersion: number; directoryVersion: number } {
    return { credentialsVersion: this.#credentials.version, directoryVersion: this.#directory.version }
  }

  async #appPassword(account: Account | undefined, password: string): Promise<Credential | undefined> {
    const verifier = appPasswordVerifier(this.#secret, password)
    if (verifier === undefined) return undefined
    const found = await this.#credentials.findAppPassword(verifier)
    return found && found.account === account?.id ? found : undefined
  }
}
