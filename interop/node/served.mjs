// A server of the suite's own: TLS, a listener for mutual TLS, authorities made for the occasion, and a manifest with
// clients whose keys the suite has. What it keeps lies in GRANTOR_FOLDER, its log too.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes, webcrypto } from 'node:crypto'
import { mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Agent, fetch as send } from 'undici'
import { issue, selfSigned } from './authorities.mjs'

const binary = process.env.GRANTOR_BINARY
export const folder = process.env.GRANTOR_FOLDER
/** A suite that hangs must not leave a server behind. */
const LONGEST = 240_000

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

/** A port below those that outgoing connections take. */
export async function freePort() {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await new Promise((resolve) => {
      const server = createServer().once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
  throw new Error('no port is free')
}

/** Signs for servers; trusted by the libraries, and by Grantor for what it fetches. */
export const servers = await selfSigned('O=Interop, CN=Servers')
/** Signs for clients; the one that Grantor trusts to say who a client is. */
export const clients = await selfSigned('O=Interop, CN=Clients')
/** A certificate of a server on this machine. */
export const serverCertificate = () =>
  issue(servers, 'O=Interop, CN=localhost', {
    server: true,
    names: [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ],
  })
const ports = [await freePort(), await freePort()]
export const issuer = `https://localhost:${ports[0]}`
export const alice = { username: 'alice', password: randomBytes(12).toString('hex'), sub: 'alice-at-the-bank' }
const authority = (await servers.files(folder, 'servers')).cert
const trusted = (await clients.files(folder, 'clients')).cert

/** fetch() that trusts the authority of the servers; with an identity it shows its certificate. */
export async function fetcher(identity) {
  const shown = identity ? { cert: identity.cert, key: await identity.key() } : {}
  const dispatcher = new Agent({ connect: { ca: servers.cert, ...shown } })
  return (url, options) => send(url, { ...options, dispatcher })
}
export const trusting = await fetcher()

const RSA = { hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
/** A key pair of a client, and its public key as it is registered. */
export async function clientKey(alg) {
  const algorithm = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    PS256: { ...RSA, name: 'RSA-PSS' },
    RS256: { ...RSA, name: 'RSASSA-PKCS1-v1_5' },
  }[alg]
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const { key_ops, ext, ...exported } = await webcrypto.subtle.exportKey('jwk', publicKey)
  const kid = randomBytes(6).toString('hex')
  const jwk = { ...exported, kid, alg, use: 'sig' }
  return { key: privateKey, kid, jwk, jwks: { keys: [jwk] } }
}

let environment = { ...process.env, RUST_LOG: 'trace' }
const clock = join(folder, 'clock')

/** From now on, the clock of Grantor, and nobody else's, goes wrong by so many seconds. Before `serve` at the first. */
export function clockIsOff(seconds) {
  // Replaced whole: the library reads it at any moment.
  writeFileSync(`${clock}.next`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`)
  renameSync(`${clock}.next`, clock)
  environment = {
    ...environment,
    LD_PRELOAD: process.env.GRANTOR_FAKETIME,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

/** Runs a command of Grantor on the data of the server. */
export function grantor(...command) {
  const given = [...command, '--config', join(folder, 'grantor.toml'), '--json']
  return execFileSync(binary, given, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: environment })
}

/** Makes the directory as the manifest says, and waits for nothing: the server looks once a second. */
export function apply(manifest) {
  const file = join(folder, 'manifest.json')
  writeFileSync(file, JSON.stringify(manifest, null, 2), { mode: 0o600 })
  return JSON.parse(grantor('apply', file))
}

let secrets = []

const text = (value) => JSON.stringify(value)
const usual = {
  issuer,
  settings: `issuer = ${text(issuer)}
listen = "127.0.0.1:${ports[0]}"
data = "data"

[tls]
certificate = "server.pem"
key = "server.key"
fapi = true

[mtls]
listen = "127.0.0.1:${ports[1]}"
client_roots = ${text(trusted)}

[outgoing]
extra_ca = ${text(authority)}
allowed_networks = ["127.0.0.0/8"]
`,
}

/** A server without TLS, as it stands behind a proxy at this address. */
export const behind = (proxy) => {
  const plain = `http://localhost:${ports[0]}`
  const listen = `127.0.0.1:${ports[0]}`
  const lines = [`issuer = ${text(plain)}`, `listen = ${text(listen)}`, 'data = "data"', '', '[proxy]']
  return { issuer: plain, listen, settings: `${lines.join('\n')}\ntrusted = [${text(proxy)}]\nforward_auth = true\n` }
}

/** Applies the manifest, with alice in it, and starts the server; gives it when it answers. */
export async function serve(manifest, site = usual) {
  await (await serverCertificate()).files(folder, 'server')
  writeFileSync(join(folder, 'grantor.toml'), site.settings)
  const user = { ...alice, name: 'Alice Liddell', email: 'alice@example.com', email_verified: true }
  apply({ ...manifest, users: [user] })
  secrets = [alice.password, ...manifest.clients.flatMap((client) => client.client_secret ?? [])]
  const log = openSync(join(folder, 'grantor.log'), 'w')
  const server = spawn(binary, ['serve', '--config', join(folder, 'grantor.toml')], {
    env: environment,
    stdio: ['ignore', 'ignore', log],
  })
  server.unref()
  const stop = () => server.kill('SIGKILL')
  process.on('exit', stop)
  setTimeout(() => process.exit(1), LONGEST).unref()
  for (let tries = 0; tries < 300; tries += 1) {
    if (server.exitCode !== null) break
    try {
      if ((await trusting(`${site.issuer}/.well-known/openid-configuration`)).ok) return server
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`the server did not start: ${readFileSync(join(folder, 'grantor.log'), 'utf8').slice(-2000)}`)
}

/** Throws when the log of the server, at its most talkative, holds a secret or a token; or is silent. */
export function logIsClean() {
  const log = readFileSync(join(folder, 'grantor.log'), 'utf8')
  if (!log.includes('DEBUG')) throw new Error('the log is silent, which proves nothing')
  // The beginning of a word that is longer than the identifiers of requests, which may hold any three letters.
  const token = /(?<![\w-])(eyJ|gr_(at|rt|ac|in|cs|pr)_)[\w-]{10}|PRIVATE KEY/.exec(log)?.[0]
  const found = token ?? secrets.find((secret) => log.includes(secret))
  if (found) throw new Error(`the log holds what begins with ${found.slice(0, 6)}`)
}
