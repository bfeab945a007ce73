import { generateKeyPairSync, sign } from 'node:crypto'
import { ipOctets, type Random } from '@pennypost/model'
import * as der from './asn1-writer.ts'

/**
 * Makes a self-signed ECDSA P-256 certificate (RFC 5280), so that a fresh installation has TLS before it has a
 * certificate. Written by hand because Node reads X.509 but cannot issue it, and no openssl need be on the machine.
 */

const oid = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}

export interface SelfSignedOptions {
  /** A-label host names and IP literals; the first is the subject, all are subject alternative names. */
  names: readonly string[]
  notBefore: number
  notAfter: number
  random: Random
}

/** @returns certificate and PKCS #8 key in PEM. */
export function selfSign(options: SelfSignedOptions): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256))
  // RFC 5280 §4.1.2.4; the upper bound of a common name is 64 characters (appendix A.1).
  const commonName = der.sequence(
    der.objectIdentifier(oid.commonName),
    der.utf8String((options.names[0] ?? '').slice(0, 64)),
  )
  const name = der.sequence(der.setOf(commonName))
  const certificate = der.sequence(
    der.explicit(0, der.positiveInteger(Buffer.of(2))),
    der.positiveInteger(Buffer.concat([Buffer.of(1), options.random.bytes(15)])),
    algorithm,
    name,
    der.sequence(der.time(options.notBefore), der.time(options.notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, extensions(options.names)),
  )
  const signature = sign('sha256', certificate, privateKey)
  return {
    cert: pem('CERTIFICATE', der.sequence(certificate, algorithm, der.bitString(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

function extensions(names: readonly string[]): Buffer {
  const digitalSignature = der.bitString(Buffer.of(0x80), 7)
  return der.sequence(
    extension(oid.basicConstraints, true, der.sequence()),
    extension(oid.keyUsage, true, digitalSignature),
    extension(oid.extendedKeyUsage, false, der.sequence(der.objectIdentifier(oid.serverAuth))),
    extension(oid.subjectAltName, false, der.sequence(...names.map(generalName))),
  )
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  critical
    ? der.sequence(der.objectIdentifier(id), der.boolean(true), der.octetString(value))
    : der.sequence(der.objectIdentifier(id), der.octetString(value))

/** GeneralName ::= CHOICE { …, dNSName [2] IA5String, …, iPAddress [7] OCTET STRING, … } */
function generalName(name: string): Buffer {
  const octets = ipOctets(name)
  return octets ? der.implicit(7, octets) : der.implicit(2, Buffer.from(name, 'latin1'))
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
