import { userInfo } from 'node:os'
import type { Administration, OperationInput, OperationName, OperationResult, Progress } from '@pennypost/admin'
import { type CallOptions, callAdmin, NoServer } from '@pennypost/admin/client'
import { adminSocket, findPlace, type Place } from '../config/place.ts'
import type { DirectAdministration } from './direct.ts'
import { clean, jsonOf } from './table.ts'
import { out, ProgressLine } from './terminal.ts'

/** What every verb takes. */
export interface VerbOptions {
  config?: string
  json?: boolean
}

/**
 * One run of a verb: its way to the operations, and its way of answering. Talks to the running server where there is
 * one, else opens the data directory, once and only when an operation is called.
 */
export class Session implements Administration, AsyncDisposable {
  readonly #options: VerbOptions
  readonly #progress = new ProgressLine()
  #place: Place | undefined
  #direct: DirectAdministration | undefined

  constructor(options: VerbOptions) {
    this.#options = options
  }

  get place(): Place {
    this.#place ??= findPlace(this.#options.config)
    return this.#place
  }

  async call<Name extends OperationName>(
    name: Name,
    input: OperationInput<Name>,
    given: CallOptions = {},
  ): Promise<OperationResult<Name>> {
    const actor = actorName()
    const options: CallOptions = { onProgress: this.onProgress, ...given }
    try {
      if (this.#direct) return await this.#direct.call(name, input, options)
      return (await callAdmin(adminSocket(this.place), name, input, actor, options)) as OperationResult<Name>
    } catch (error) {
      if (!(error instanceof NoServer) || this.place.configFile === undefined) throw error
      this.#direct = await this.#open(actor)
      return await this.#direct.call(name, input, options)
    } finally {
      this.#progress.end()
    }
  }

  async #open(actor: string): Promise<DirectAdministration> {
    const { openDirect } = await import('./direct.ts')
    return openDirect(this.place, actor)
  }

  /** Shows how far the work is; for work that is no operation too, which then calls `endProgress`. */
  readonly onProgress = ({ done, total, unit }: Progress): void => {
    // Often enough to see that it moves, seldom enough to cost nothing.
    const step = total === undefined ? 100 : Math.max(1, Math.floor(total / 200))
    if (done % step !== 0 && done !== total) return
    this.#progress.show(total === undefined ? `${done} ${unit}` : `${done} of ${total} ${unit}`)
  }

  endProgress(): void {
    this.#progress.end()
  }

  /** Answers with the value as JSON, or with what people read. */
  show(value: unknown, text: string | (() => string)): void {
    if (this.#options.json) out(`${jsonOf(value)}\n`)
    else out(typeof text === 'string' ? text : text())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#direct?.close()
  }
}

/** Who the audit record says it was: behind sudo, who called it. */
function actorName(): string {
  const behind = process.env.SUDO_USER
  const own = currentUser()
  return clean(behind && behind !== own ? `${behind} as ${own}` : own)
}

/** The system's user name; containers have users without one. */
export function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}
