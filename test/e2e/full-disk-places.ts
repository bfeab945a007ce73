/** Small file systems of their own for tests that fill one, and what fills them. Root only; the tests skip otherwise. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk extends Disposable {
  /** A directory on it. */
  readonly directory: string
  free(): number
  total(): number
  /** Another program takes all but so many octets. */
  fill(leave?: number): void
  /** What the other program took is free again. */
  clear(): void
}

export type DiskKind = 'tmpfs' | 'ext4'

const megabytes = 48

/** Makes and mounts it; `undefined` when the machine does not let us. */
export function mountSmallDisk(kind: DiskKind): SmallDisk | undefined {
  const base = mkdtempSync(join(tmpdir(), 'pennypost-disk-'))
  const place = join(base, 'disk')
  mkdirSync(place)
  try {
    if (kind === 'tmpfs') run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place)
    else mountImage(join(base, 'image'), place)
  } catch {
    rmSync(base, { recursive: true })
    return undefined
  }
  const directory = join(place, 'data')
  mkdirSync(directory)
  const other = join(place, 'other')
  return {
    directory,
    free: () => space(place).free,
    total: () => space(place).total,
    fill: (leave = 0) => fill(place, other, leave),
    clear: () => rmSync(other, { force: true }),
    [Symbol.dispose]() {
      // Lazily: a server that a failed test left running must not leave the mount behind.
      run('umount', '-l', place)
      rmSync(base, { recursive: true })
    },
  }
}

/** Whether such a file system can be had here. */
export function canMount(kind: DiskKind): boolean {
  const disk = mountSmallDisk(kind)
  disk?.[Symbol.dispose]()
  return disk !== undefined
}

function mountImage(image: string, place: string): void {
  closeSync(openSync(image, 'wx'))
  truncateSync(image, megabytes * 1024 * 1024)
  // No blocks kept for root: the test is root and would be let into them.
  // Blocks of 1 KB, as small file systems have them: what is larger has fewer ways to be full.
  run('mkfs.ext4', '-q', '-m', '0', '-b', '1024', image)
  run('mount', '-o', 'loop', image, place)
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: 'ignore', env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })
}

function space(place: string): { free: number; total: number } {
  const { bavail, blocks, bsize } = statfsSync(place)
  return { free: bavail * bsize, total: blocks * bsize }
}

function fill(place: string, file: string, leave: number): void {
  const fd = openSync(file, 'a')
  try {
    for (let piece = 1024 * 1024; piece >= 512; ) {
      const left = space(place).free - leave
      if (leave > 0 && left < 4096) return
      try {
        writeSync(fd, Buffer.alloc(leave > 0 ? Math.min(piece, left) : piece, 1))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        piece /= 2
      }
    }
  } finally {
    closeSync(fd)
    // What is written late takes its room only now.
    spawnSync('sync', ['-f', place])
  }
}
