/** What was typed cannot be done as it stands: exit code 2, and a hint at what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
