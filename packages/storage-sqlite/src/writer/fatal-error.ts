/** The store can not go on; nothing of the open group was acknowledged. Thrown in the writer, told to the main thread by `main.ts`. */
export class FatalError extends Error {
  override readonly name = 'FatalError'

  constructor(text: string, cause: unknown) {
    super(`${text}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** The code of an error of Node or SQLite; '' when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
