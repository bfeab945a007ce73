/**
 * Keeps what is remembered of others within bounds: a map in order of what was set last, of which the oldest goes first.
 *
 * Who calls it: whoever remembers hosts, domains or journeys, after each entry.
 */
export function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) break
    map.delete(oldest)
  }
}
