/** Durations and sizes as people write them in the configuration: `15m`, `5d`, `50MB`. */

const durations: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds of `90s`, `15m`, `4h`, `5d`, `1h30m`; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(count) * (durations[unit as string] as number)
  }
  return total
}

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 }

/** Octets of `500KB`, `50MB`, `2GB`; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?B?)$/i.exec(text)
  const unit = match ? units[normalUnit((match[2] as string).toUpperCase())] : undefined
  return match && unit !== undefined ? Math.floor(Number(match[1]) * unit) : undefined
}

const normalUnit = (unit: string): string => (unit.length === 1 && unit !== 'B' ? `${unit}B` : unit)

/** An address and port: `127.0.0.1:25`, `[::1]:25`, `mail.example:587`; undefined when it is neither. */
export function parseHostPort(text: string, defaultPort: number): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/i.exec(text)
  if (!match) return undefined
  const port = match[3] === undefined ? defaultPort : Number(match[3])
  return port > 0 && port < 65_536 ? { host: (match[1] ?? match[2]) as string, port } : undefined
}
