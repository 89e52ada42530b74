// curl(1) with client certificates, good and bad, at the listener for mutual TLS (RFC 8705).
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Person, assert, check, finish, redirectUri } from './common.mjs'
import { issue, selfSigned } from './authorities.mjs'
import { alice, clients, folder, issuer, logIsClean, serve, trusting } from './served.mjs'
import * as oauth from 'oauth4webapi'

const DN = 'C=DE, O=Interop, CN=machine'
const bank = 'https://bank.example/'
const dns = (value) => ({ type: 'dns', value })
const impostor = await selfSigned('O=Interop, CN=Clients')
const middle = await issue(clients, 'O=Interop, CN=Middle', { ca: true })
const good = await issue(clients, DN)
const own = await selfSigned('CN=own', { ca: false })
const shown = {
  good,
  own,
  chain: await issue(middle, DN, { chain: [middle.certificate] }),
  'san-dns': await issue(clients, 'CN=any', { names: [dns('machine.example')] }),
  'san-uri': await issue(clients, 'CN=any', { names: [{ type: 'url', value: 'spiffe://interop.example/machine' }] }),
  'san-ip': await issue(clients, 'CN=any', { names: [{ type: 'ip', value: '192.0.2.7' }] }),
  'san-email': await issue(clients, 'CN=any', { names: [{ type: 'email', value: 'machine@interop.example' }] }),
  expired: await issue(clients, DN, { from: -9, to: -2 }),
  early: await issue(clients, DN, { from: 2, to: 9 }),
  impostor: await issue(impostor, DN),
  chainless: await issue(middle, DN),
  'signed by a client': await issue(good, DN, { chain: [good.certificate] }),
  'for a server': await issue(clients, DN, { server: true }),
  'self-signed': await selfSigned(DN, { ca: false }),
  'another subject': await issue(clients, 'C=DE, O=Interop, CN=other'),
  'more in the subject': await issue(clients, `${DN}, OU=more`),
  'the subject as a name': await issue(clients, 'CN=any', { names: [dns('machine')] }),
  'the name as a subject': await issue(clients, 'CN=machine.example'),
  'the name below another': await issue(clients, 'CN=any', { names: [dns('a.machine.example')] }),
  'own, expired': await selfSigned('CN=own', { ca: false, from: -9, to: -2 }),
}
const files = {}
for (const [name, identity] of Object.entries(shown))
  files[name] = await identity.files(folder, name.replace(/\W/g, '-'))

const machine = { grant_types: ['client_credentials'], tls_client_certificate_bound_access_tokens: true }
const byName = { ...machine, token_endpoint_auth_method: 'tls_client_auth' }
const self = { ...machine, token_endpoint_auth_method: 'self_signed_tls_client_auth' }
const registered = {
  'by-dn': { ...byName, tls_client_auth_subject_dn: 'CN=machine,O=Interop,C=DE' },
  'by-san-dns': { ...byName, tls_client_auth_san_dns: 'machine.example' },
  'by-san-uri': { ...byName, tls_client_auth_san_uri: 'spiffe://interop.example/machine' },
  'by-san-ip': { ...byName, tls_client_auth_san_ip: '192.0.2.7' },
  'by-san-email': { ...byName, tls_client_auth_san_email: 'machine@interop.example' },
  own: { ...self, jwks: { keys: [await own.jwk()] } },
  'own-expired': { ...self, jwks: { keys: [await shown['own, expired'].jwk()] } },
}
const app = {
  client_id: 'app',
  redirect_uris: [redirectUri],
  application_type: 'native',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=machine,O=Interop,C=DE',
  tls_client_certificate_bound_access_tokens: true,
}
const ids = Object.keys(registered)
await serve({
  apis: [
    {
      audience: bank,
      name: 'Bank',
      scopes: [{ name: 'accounts' }],
      ceilings: ids.map((client_id) => ({ client_id, scope: 'accounts' })),
      resource_servers: ['by-dn'],
    },
  ],
  clients: [...ids.map((client_id) => ({ client_id, ...registered[client_id] })), app],
})
const metadata = await (await trusting(`${issuer}/.well-known/oauth-authorization-server`)).json()
const aliases = metadata.mtls_endpoint_aliases

/** What curl got: the status and the JSON that came with it. */
async function curl(url, { certificate, form = {}, headers = [], more = [] } = {}) {
  const given = ['--silent', '--show-error', '--max-time', '20', '--cacert', join(folder, 'servers.pem')]
  if (certificate) given.push('--cert', files[certificate].cert, '--key', files[certificate].key)
  for (const [name, value] of Object.entries(form)) given.push('--data-urlencode', `${name}=${value}`)
  for (const header of headers) given.push('--header', header)
  const { stdout } = await promisify(execFile)('curl', [...given, ...more, '--write-out', '\n%{http_code}', url])
  const [body, status] = [stdout.slice(0, stdout.lastIndexOf('\n')), stdout.slice(stdout.lastIndexOf('\n') + 1)]
  return { status: Number(status), body: body && JSON.parse(body) }
}
const token = (client_id, certificate, { endpoint = aliases.token_endpoint, ...options } = {}) =>
  curl(endpoint, {
    certificate,
    form: { grant_type: 'client_credentials', scope: 'accounts', client_id },
    ...options,
  })

for (const [id, certificate] of [
  ['by-dn', 'good'],
  ['by-dn', 'chain'],
  ['by-san-dns', 'san-dns'],
  ['by-san-uri', 'san-uri'],
  ['by-san-ip', 'san-ip'],
  ['by-san-email', 'san-email'],
  ['own', 'own'],
])
  await check(`${id}, with ${certificate}: a token bound to the certificate`, async () => {
    const { status, body } = await token(id, certificate)
    assert.equal(status, 200, JSON.stringify(body))
    const form = { token: body.access_token, client_id: 'by-dn' }
    const said = await curl(aliases.introspection_endpoint, { certificate: 'good', form })
    assert.deepEqual(said.body.cnf, { 'x5t#S256': await shown[certificate].thumbprint() })
    assert.equal(said.body.client_id, id)
  })

for (const [id, certificate] of [
  ['by-dn', undefined],
  ['by-dn', 'expired'],
  ['by-dn', 'early'],
  ['by-dn', 'impostor'],
  ['by-dn', 'chainless'],
  ['by-dn', 'signed by a client'],
  ['by-dn', 'for a server'],
  ['by-dn', 'self-signed'],
  ['by-dn', 'another subject'],
  ['by-dn', 'more in the subject'],
  ['by-dn', 'the subject as a name'],
  ['by-san-dns', 'the name as a subject'],
  ['by-san-dns', 'the name below another'],
  ['by-san-dns', 'good'],
  ['own', 'good'],
  ['own', undefined],
  ['own-expired', 'own, expired'],
])
  await check(`${id}, with ${certificate ?? 'no certificate'}: invalid_client`, async () => {
    const { status, body } = await token(id, certificate)
    assert.deepEqual([status, body.error], [401, 'invalid_client'])
  })
await check('a certificate in a header is worth nothing: nobody in front is trusted', async () => {
  const der = good.certificate.toString('base64').replace(/\s/g, '')
  const headers = [`Client-Cert: :${der}:`]
  for (const endpoint of [aliases.token_endpoint, metadata.token_endpoint]) {
    const { status, body } = await token('by-dn', undefined, { endpoint, headers })
    assert.deepEqual([status, body.error], [401, 'invalid_client'])
  }
})
await check('at the usual listener no certificate is asked for', async () => {
  const { status, body } = await token('by-dn', 'good', { endpoint: metadata.token_endpoint })
  assert.deepEqual([status, body.error], [401, 'invalid_client'])
})
for (const version of ['1.2', '1.3'])
  for (const http of ['1.1', '2'])
    await check(`TLS ${version}, HTTP/${http}`, async () => {
      const more = [`--tlsv${version}`, '--tls-max', version, `--http${http}`]
      assert.equal((await token('by-dn', 'good', { more })).status, 200)
    })
await check('TLS 1.2 without forward secrecy or AEAD is refused', async () => {
  for (const suite of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'])
    await assert.rejects(token('by-dn', 'good', { more: ['--tls-max', '1.2', '--ciphers', suite] }), { code: 35 })
})

await check('userinfo takes a bound token on a connection with its certificate alone', async () => {
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(metadata.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid email',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const code = (await new Person(alice, trusting).authorize(url)).searchParams.get('code')
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
  const redeemed = await curl(aliases.token_endpoint, { certificate: 'good', form: { ...form, client_id: 'app' } })
  assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body))
  const headers = [`Authorization: Bearer ${redeemed.body.access_token}`]
  const at = (certificate, url = aliases.userinfo_endpoint) => curl(url, { certificate, headers })
  const user = await at('good')
  assert.deepEqual([user.status, user.body.sub, user.body.email], [200, alice.sub, 'alice@example.com'])
  assert.equal((await at('chain')).status, 401)
  assert.equal((await at(undefined)).status, 401)
  assert.equal((await at('good', metadata.userinfo_endpoint)).status, 401)
})
await check('the log holds no secret and no token', logIsClean)
finish()
