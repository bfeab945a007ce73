import { createScanner, scan } from '../src/index.ts'

/** Prints what a scan costs, with its index: `node packages/message/bench/scan.ts`. */

const line = 'TWFueSBvZiB0aGUgbW9zdCBpbXBvcnRhbnQgdGhpbmdzIGluIGxpZmUgYXJlIGludmlzaWJsZS4gQQ==\r\n'
const received = Array.from(
  { length: 4 },
  (_, hop) =>
    `Received: from host${hop}.one.test (host${hop}.one.test [192.0.2.${hop}])\r\n\tby mx.two.test with ESMTPS id ${hop}ABCDEF0123456789\r\n\tfor <bob@two.test>; Thu, 26 Nov 2026 09:30:0${hop} +0100\r\n`,
).join('')
const header = `${received}From: =?utf-8?Q?Alice_M=C3=BCller?= <alice@one.test>\r\nTo: Bob <bob@two.test>, "Carol, C." <carol@two.test>\r\nSubject: Re: [list] minutes of the meeting\r\nDate: Thu, 26 Nov 2026 09:30:00 +0100\r\nMessage-ID: <1234567890@one.test>\r\nIn-Reply-To: <0987654321@two.test>\r\nReferences: <1@two.test> <0987654321@two.test>\r\nMIME-Version: 1.0\r\n`
const small = Buffer.from(
  `${header}Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'Hello Bob, this is a line of an ordinary letter.\r\n'.repeat(16)}`,
)
const alternative = Buffer.from(
  `${header}Content-Type: multipart/alternative; boundary="=_part"\r\n\r\n--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${'Hello Bob.\r\n'.repeat(20)}--=_part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>${'Hello Bob.<br>\r\n'.repeat(20)}--=_part--\r\n`,
)
const large = (lines: number) =>
  Buffer.from(
    `${header}Content-Type: multipart/mixed; boundary="=_outer"\r\n\r\n--=_outer\r\n\r\nSee attachment.\r\n--=_outer\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${line.repeat(lines)}--=_outer--\r\n`,
  )

/** CPU time of the best of five batches. */
function measure(name: string, size: number, rounds: number, run: () => unknown): void {
  let best = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < 6; batch++) {
    const before = process.cpuUsage()
    for (let round = 0; round < rounds; round++) run()
    const { user, system } = process.cpuUsage(before)
    if (batch > 0) best = Math.min(best, (user + system) / rounds)
  }
  console.log(
    `${name.padEnd(32)} ${best.toFixed(1).padStart(9)} µs ${(size / best / 1000).toFixed(2).padStart(7)} GB/s`,
  )
}

function inChunks(content: Buffer, size: number): void {
  const scanner = createScanner()
  for (let at = 0; at < content.length; at += size) scanner.push(content.subarray(at, at + size))
  scanner.finish().index()
}

const big = large(600_000)
measure(`letter of ${small.length} octets`, small.length, 10_000, () => scan(small).index())
measure(`alternative of ${alternative.length} octets`, alternative.length, 10_000, () => scan(alternative).index())
measure(`attachment, ${big.length >> 20} MB, whole`, big.length, 5, () => scan(big).index())
measure(`attachment, ${big.length >> 20} MB, in 64 KB`, big.length, 5, () => inChunks(big, 65_536))
const text = Buffer.concat([
  small,
  Buffer.from('A line of text as people write it, about so long.\r\n'.repeat(400_000)),
])
measure(`text, ${text.length >> 20} MB, in 64 KB`, text.length, 5, () => inChunks(text, 65_536))
