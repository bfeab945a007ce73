/** Below it the garbage collector is cheaper. */
const worthwhile = 8192

/**
 * Frees octets that nobody reads any more, at once. What a socket or a database read is memory outside the heap: left to the garbage
 * collector, which counts it and collects everything for every 64 MB of it, large mail costs twice as much CPU. A view of
 * memory that may have other views stays.
 */
export function freeOctets(octets: Buffer): void {
  const { buffer, length } = octets
  if (length >= worthwhile && length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
}
