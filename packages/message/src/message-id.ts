/** Message ids (RFC 5322 §3.6.4) as threads compare them: without brackets, quoting that changes nothing removed. */

const maxIds = 200

/**
 * Every id in a Message-ID, In-Reply-To or References value, in order, each once, where it stands last: what is nearest to the
 * end is nearest to the message. Of more than 200 the first and the last stay, since a thread hangs on its root and its
 * nearest parents.
 */
export function messageIds(value: string): string[] {
  const found = new Set<string>()
  for (const [, inner] of value.matchAll(/<([^<>]{1,998})>/g)) {
    const id = normalId(inner as string)
    found.delete(id)
    if (id !== '') found.add(id)
  }
  const ids = [...found]
  return ids.length <= maxIds ? ids : [ids[0] as string, ...ids.slice(1 - maxIds)]
}

/** The id of a Message-ID field; one without brackets counts too. '' when there is none. */
export function messageIdOf(value: string): string {
  const [first] = messageIds(value)
  if (first !== undefined) return first
  const bare = normalId(value.replace(/[<>]/g, ''))
  return /^[^\s@]+@[^\s@]+$/.test(bare) ? bare : ''
}

/** RFC 5256 §3: `<"01KF8JCEOCBS0045PS"@xxx.yyy.com>` and the same id without quotes are one. */
function normalId(inner: string): string {
  const id = inner.replace(/\s+/g, '')
  const quoted = /^"((?:[^"\\]|\\.)*)"@(.*)$/s.exec(id)
  if (!quoted) return id
  const local = (quoted[1] as string).replace(/\\(.)/gs, '$1')
  return /^[^\s"(),:;<>@[\\\]]+$/.test(local) ? `${local}@${quoted[2]}` : id
}
