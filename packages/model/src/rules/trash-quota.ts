/**
 * What an account may use once more when the owner copies messages to Trash: many mail programs delete by COPY, \Deleted
 * and EXPUNGE, and nobody could make room with them when the quota is used up. What was not expunged counts, so that
 * Trash cannot grow without end.
 */
export function trashQuota(quota: number): number {
  return quota + Math.ceil(quota / 10)
}
