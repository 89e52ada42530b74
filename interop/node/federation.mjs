// A foreign issuer made with npm jose: its tokens speak for a client, its keys are fetched, and change.
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:https'
import * as oauth from 'oauth4webapi'
import { Person, assert, check, finish, redirectUri, refused } from './common.mjs'
import { alice, apply, freePort, issuer, logIsClean, serve, serverCertificate, trusting } from './served.mjs'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const port = await freePort()
const foreign = `https://localhost:${port}`
const bank = 'https://bank.example/'

/** A key pair with a name. */
async function made(kid, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, kid, alg }
}
/** Signs as an issuer does; the claims of a build unless they are said to be others. */
const token = (key, claims = {}, header = {}) =>
  new SignJWT({ repository: 'acme/shop', ref: 'refs/heads/main', ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .setIssuer(claims.iss ?? foreign)
    .setSubject(claims.sub ?? 'build')
    .setAudience(claims.aud ?? issuer)
    .setJti(claims.jti ?? randomUUID())
    .setIssuedAt()
    .setExpirationTime(claims.exp ?? '5m')
    .sign(key.privateKey)

const first = await made('first')
const ed = await made('ed', 'EdDSA')
const client = await made('client-1')
/** What is published, and how often it was asked for. */
const published = {
  '/.well-known/openid-configuration': { issuer: foreign, jwks_uri: `${foreign}/jwks` },
  '/jwks': { keys: [first.jwk, ed.jwk] },
  '/client/jwks': { keys: [client.jwk] },
}
const asked = {}
const identity = await serverCertificate()
const server = createServer({ cert: identity.cert, key: await identity.key() }, (request, response) => {
  const document = published[request.url]
  asked[request.url] = (asked[request.url] ?? 0) + 1
  const signed = typeof document === 'string'
  response.writeHead(document ? 200 : 404, {
    'content-type': signed ? 'application/oauth-authz-req+jwt' : 'application/json',
  })
  response.end(signed ? document : JSON.stringify(document ?? {}))
})
server.unref()
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))

const credential = {
  name: 'builds',
  issuer: foreign,
  audience: issuer,
  conditions: [
    { claim: 'sub', equals: 'build' },
    { claim: 'repository', equals: 'acme/shop' },
    { claim: 'ref', glob: 'refs/heads/*' },
  ],
}
const machine = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'private_key_jwt' }
const registered = [
  {
    client_id: 'build',
    ...machine,
    grant_types: ['client_credentials', JWT_BEARER],
    federated_credentials: [credential],
  },
  { client_id: 'job', ...machine, jwks_uri: `${foreign}/client/jwks` },
  { client_id: 'api', ...machine, jwks: { keys: [client.jwk] } },
  {
    client_id: 'web',
    redirect_uris: [redirectUri],
    request_uris: [`${foreign}/request`, `${foreign}/of-a-stranger`],
    application_type: 'native',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [client.jwk] },
  },
]
const manifest = {
  apis: [
    {
      audience: bank,
      name: 'Bank',
      scopes: [{ name: 'accounts' }],
      ceilings: ['build', 'job'].map((client_id) => ({ client_id, scope: 'accounts' })),
      resource_servers: ['api'],
    },
  ],
  clients: registered,
}
await serve(manifest)

const options = { [oauth.customFetch]: trusting }
const as = await oauth
  .discoveryRequest(new URL(issuer), options)
  .then((response) => oauth.processDiscoveryResponse(new URL(issuer), response))
const is = (client_id) => ({ client_id })
/** Sends the token of the foreign issuer in place of an assertion of the client's own (RFC 7521 4.2). */
const with_token = (assertion) => (as, client, body) => {
  body.set('client_id', client.client_id)
  body.set('client_assertion_type', ASSERTION)
  body.set('client_assertion', assertion)
}
async function forItself(id, authentication) {
  const response = await oauth.clientCredentialsGrantRequest(as, is(id), authentication, { scope: 'accounts' }, options)
  return oauth.processClientCredentialsResponse(as, is(id), response)
}
const speaking = async (key, claims, header) => forItself('build', with_token(await token(key, claims, header)))
async function byGrant(assertion) {
  const given = { assertion, scope: 'accounts' }
  const response = await oauth.genericTokenEndpointRequest(as, is('build'), oauth.None(), JWT_BEARER, given, options)
  return oauth.processGenericTokenEndpointResponse(as, is('build'), response)
}
async function introspect(token) {
  const key = oauth.PrivateKeyJwt({ key: client.privateKey, kid: client.kid })
  const response = await oauth.introspectionRequest(as, is('api'), key, token, options)
  return oauth.processIntrospectionResponse(as, is('api'), response)
}

await check('a token of the foreign issuer is the client assertion', async () => {
  const { access_token } = await speaking(first)
  const said = await introspect(access_token)
  assert.deepEqual([said.active, said.client_id, said.sub], [true, 'build', 'build'])
})
await check('and is the jwt-bearer grant (RFC 7523 2.1)', async () => {
  assert.equal((await introspect((await byGrant(await token(first))).access_token)).client_id, 'build')
})
await check('signed with EdDSA too', () => speaking(ed))
await check('its keys were asked for once', () => {
  assert.deepEqual([asked['/.well-known/openid-configuration'], asked['/jwks']], [1, 1])
})
await check('a token is good once, in either place', async () => {
  const used = await token(first)
  await forItself('build', with_token(used))
  await refused('invalid_client', forItself('build', with_token(used)))
  await refused('invalid_grant', byGrant(used))
})
const stranger = await made('first')
for (const [name, key, claims, header] of [
  ['of another repository', first, { repository: 'acme/other' }],
  ['of a tag', first, { ref: 'refs/tags/v1' }],
  ['of a branch with a slash, which the pattern leaves out', first, { ref: 'refs/heads/a/b' }],
  ['of another subject', first, { sub: 'deploy' }],
  ['for another server', first, { aud: 'https://elsewhere.example' }],
  ['that has expired', first, { exp: Math.floor(Date.now() / 1000) - 300 }],
  ['of another issuer', first, { iss: 'https://elsewhere.example' }],
  ['with a repository in a list', first, { repository: ['acme/shop'] }],
  ['that is an access token', first, {}, { typ: 'at+jwt' }],
  ['signed by a stranger', stranger, {}],
  ['signed by a stranger, with his key in the header', stranger, {}, { jwk: stranger.jwk }],
])
  await check(`refused: a token ${name}`, async () => {
    await refused('invalid_client', speaking(key, claims, header))
    await refused('invalid_grant', byGrant(await token(key, claims, header)))
  })
await check('a key that was not there before is found when its first token comes', async () => {
  const next = await made('next')
  published['/jwks'] = { keys: [first.jwk, next.jwk] }
  await speaking(next)
  assert.equal(asked['/jwks'], 2)
})
await check('keys that nobody has do not make it ask again and again', async () => {
  for (let tries = 0; tries < 5; tries += 1) await refused('invalid_client', speaking(await made(`none-${tries}`)))
  assert.equal(asked['/jwks'], 2)
})

const job = (key) => forItself('job', oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }))
await check('private_key_jwt with keys by jwks_uri', async () => {
  assert.equal((await introspect((await job(client)).access_token)).client_id, 'job')
  await job(client)
  assert.equal(asked['/client/jwks'], 1)
})
await check('and with the next key, as soon as it is published', async () => {
  const next = await made('client-2')
  published['/client/jwks'] = { keys: [next.jwk] }
  await job(next)
  await refused('invalid_client', job(client))
  assert.equal(asked['/client/jwks'], 2)
})
const person = new Person(alice, trusting)
/** A signed request behind a URL (RFC 9101 5.2.3); gives what the client is called back with, and the verifier. */
async function byReference(path, key = client) {
  const verifier = oauth.generateRandomCodeVerifier()
  const parameters = {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid',
    state: 'inside',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const signing = { key: key.privateKey, kid: key.kid }
  published[path] = await oauth.issueRequestObject(as, is('web'), parameters, signing)
  const url = new URL(as.authorization_endpoint)
  const request_uri = `${foreign}${path}`
  url.search = new URLSearchParams({ client_id: 'web', request_uri, redirect_uri: redirectUri, state: 'beside' })
  return { callback: await person.authorize(url), verifier }
}
await check('JAR by reference: the signed request is fetched, and what is in it counts', async () => {
  const { callback, verifier } = await byReference('/request')
  const answer = oauth.validateAuthResponse(as, is('web'), callback, 'inside')
  const secret = oauth.PrivateKeyJwt({ key: client.privateKey, kid: client.kid })
  const given = [as, is('web'), secret, answer, redirectUri, verifier, options]
  const tokens = await oauth.processAuthorizationCodeResponse(
    as,
    is('web'),
    await oauth.authorizationCodeGrantRequest(...given),
    { requireIdToken: true },
  )
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, alice.sub)
})
await check('JAR by reference: signed by a stranger, it is refused', async () => {
  const { callback } = await byReference('/of-a-stranger', { ...stranger, kid: client.kid })
  assert.equal(callback.searchParams.get('error'), 'invalid_request_object')
})
await check('JAR by reference: a URL that is not registered is never asked', async () => {
  const { callback } = await byReference('/another')
  assert.equal(callback.searchParams.get('error'), 'invalid_request_uri')
  assert.equal(asked['/another'], undefined)
})

await check('a credential that is taken away is worth nothing a moment later', async () => {
  const without = { ...registered[0], grant_types: ['client_credentials'], jwks: { keys: [client.jwk] } }
  delete without.federated_credentials
  apply({ clients: [without] })
  for (let tries = 0; tries < 50; tries += 1) {
    const answered = await speaking(first).catch((error) => error)
    if (answered.error === 'invalid_client') return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('it still speaks for the client')
})
await check('the log holds no secret and no token', logIsClean)
finish()
