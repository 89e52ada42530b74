// Certificate authorities made for the occasion, with npm @peculiar/x509, and what they sign: good and bad.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

x509.cryptoProvider.set(webcrypto)

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const SERVER = '1.3.6.1.5.5.7.3.1'
const CLIENT = '1.3.6.1.5.5.7.3.2'
const day = (days) => new Date(Date.now() + days * 86_400_000)
const serial = () =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(15)))
    .toString('hex')
    .replace(/^./, '4')
const generate = () => webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])

/** A certificate and its key: as PEM, as files, and as a JWK with `x5c`. */
export class Identity {
  constructor(certificate, keys, chain = []) {
    Object.assign(this, { certificate, keys, subject: certificate.subject })
    this.cert = [certificate, ...chain].map((one) => one.toString('pem')).join('\n')
  }

  async key() {
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', this.keys.privateKey))
    const lines = der
      .toString('base64')
      .match(/.{1,64}/g)
      .join('\n')
    return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`
  }

  /** Writes both files; gives their paths. */
  async files(folder, name) {
    const paths = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
    writeFileSync(paths.cert, this.cert)
    writeFileSync(paths.key, await this.key(), { mode: 0o600 })
    return paths
  }

  /** `x5t#S256` (RFC 8705 3.1). */
  async thumbprint() {
    const digest = await webcrypto.subtle.digest('SHA-256', this.certificate.rawData)
    return Buffer.from(digest).toString('base64url')
  }

  /** RFC 8705 2.2.2. */
  async jwk() {
    const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', this.keys.publicKey)
    return { kty, crv, x, y, x5c: [Buffer.from(this.certificate.rawData).toString('base64')] }
  }
}

/** Who signs itself; `ca: false` is a client that does. The subject is written as it is encoded: country first. */
export async function selfSigned(subject, { ca = true, from = -1, to = 2 } = {}) {
  const keys = await generate()
  const extensions = [new x509.BasicConstraintsExtension(ca, undefined, true)]
  if (ca) extensions.push(new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: subject,
    notBefore: day(from),
    notAfter: day(to),
    signingAlgorithm: EC,
    keys,
    extensions,
  })
  return new Identity(certificate, keys)
}

/** What an authority signs. `names` are subject alternative names. */
export async function issue(by, subject, options = {}) {
  const { names = [], server = false, ca = false, from = -1, to = 2, chain = [] } = options
  const keys = await generate()
  const extensions = [new x509.BasicConstraintsExtension(ca, undefined, true)]
  if (!ca) extensions.push(new x509.ExtendedKeyUsageExtension([server ? SERVER : CLIENT]))
  if (names.length) extensions.push(new x509.SubjectAlternativeNameExtension(names))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject,
    issuer: by.subject,
    notBefore: day(from),
    notAfter: day(to),
    signingKey: by.keys.privateKey,
    signingAlgorithm: EC,
    publicKey: keys.publicKey,
    extensions,
  })
  return new Identity(certificate, keys, chain)
}
