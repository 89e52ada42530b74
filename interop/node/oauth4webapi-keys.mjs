// npm oauth4webapi: keys, proofs, signed requests and signed answers, each message through its own processing.
import * as oauth from 'oauth4webapi'
import { Person, assert, check, finish, redirectUri, refused } from './common.mjs'
import { issue } from './authorities.mjs'
import { alice, clientKey, clients, fetcher, issuer, logIsClean, serve, trusting } from './served.mjs'

const bank = 'https://bank.example/'
const key = await clientKey('ES256')
const named = await issue(clients, 'CN=by name', { names: [{ type: 'dns', value: 'machine.example' }] })
const unnamed = await issue(clients, 'CN=machine.example')
const web = {
  redirect_uris: [redirectUri],
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token'],
}
const signs = { token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks }
const machine = { grant_types: ['client_credentials'] }
await serve({
  apis: [
    {
      audience: bank,
      name: 'Bank',
      scopes: [{ name: 'accounts' }],
      ceilings: ['machine', 'tls'].map((client_id) => ({ client_id, scope: 'accounts' })),
      resource_servers: ['api'],
    },
  ],
  clients: [
    { client_id: 'machine', ...machine, ...signs },
    { client_id: 'web', ...web, ...signs },
    { client_id: 'app', ...web, token_endpoint_auth_method: 'none' },
    { client_id: 'jarm', ...web, ...signs, authorization_signed_response_alg: 'ES256' },
    { client_id: 'api', ...machine, ...signs, introspection_signed_response_alg: 'ES256' },
    {
      client_id: 'tls',
      ...machine,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'machine.example',
      tls_client_certificate_bound_access_tokens: true,
    },
  ],
})

const options = { [oauth.customFetch]: trusting }
const secret = oauth.PrivateKeyJwt({ key: key.key, kid: key.kid })
const is = (client_id, more) => ({ client_id, ...more })
const as = await oauth
  .discoveryRequest(new URL(issuer), options)
  .then((response) => oauth.processDiscoveryResponse(new URL(issuer), response))
const person = new Person(alice, trusting)

/** Sends a request again when its answer brings the nonce that it lacked (RFC 9449 8). */
async function twice(request, process) {
  let again = false
  for (;;) {
    try {
      return { ...(await process(await request())), again }
    } catch (error) {
      if (again || !oauth.isDPoPNonceError(error)) throw error
      again = true
    }
  }
}
const forItself = (client, authentication, more) =>
  twice(
    () =>
      oauth.clientCredentialsGrantRequest(as, client, authentication, { scope: 'accounts' }, { ...options, ...more }),
    (response) => oauth.processClientCredentialsResponse(as, client, response),
  )

async function parameters(client, more = {}) {
  const asked = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState() }
  asked.query = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid offline_access accounts',
    code_challenge: await oauth.calculatePKCECodeChallenge(asked.verifier),
    code_challenge_method: 'S256',
    state: asked.state,
    ...more,
  })
  return asked
}
const authorize = (query) => person.authorize(`${as.authorization_endpoint}?${new URLSearchParams(query)}`)
const redeem = (client, authentication, answer, verifier, more) =>
  twice(
    () =>
      oauth.authorizationCodeGrantRequest(as, client, authentication, answer, redirectUri, verifier, {
        ...options,
        ...more,
      }),
    (response) => oauth.processAuthorizationCodeResponse(as, client, response, { requireIdToken: true }),
  )
async function push(client, query, more) {
  return twice(
    () => oauth.pushedAuthorizationRequest(as, client, secret, query, { ...options, ...more }),
    (response) => oauth.processPushedAuthorizationResponse(as, client, response),
  )
}
async function introspect(token, more = {}) {
  const response = await oauth.introspectionRequest(as, is('api'), secret, token, { ...options, ...more })
  return { response, said: await oauth.processIntrospectionResponse(as, is('api'), response) }
}

await check('private_key_jwt', async () => {
  const tokens = await forItself(is('machine'), secret)
  assert.equal((await introspect(tokens.access_token)).said.client_id, 'machine')
})
await check('private_key_jwt as another client is invalid_client', async () => {
  const stranger = oauth.PrivateKeyJwt(await clientKey('ES256').then(({ key, kid }) => ({ key, kid })))
  await refused('invalid_client', forItself(is('machine'), stranger))
})

const app = is('app')
const DPoP = oauth.DPoP(app, await oauth.generateKeyPair('ES256'))
const other = oauth.DPoP(app, await oauth.generateKeyPair('ES256'))
const bound = await check('DPoP: the first proof is sent back for a nonce, the next is good', async () => {
  const asked = await parameters(app)
  const answer = oauth.validateAuthResponse(as, app, await authorize(asked.query), asked.state)
  const tokens = await redeem(app, oauth.None(), answer, asked.verifier, { DPoP })
  assert.equal(tokens.again, true)
  assert.equal(tokens.token_type, 'dpop')
  return tokens
})
await check('DPoP: the access token is a JWT that names the key, as the library checks it', async () => {
  const { cnf } = (await introspect(bound.access_token)).said
  assert.deepEqual(cnf, { jkt: await DPoP.calculateThumbprint() })
  const request = new Request(bank, { headers: { authorization: `DPoP ${bound.access_token}` } })
  await assert.rejects(oauth.validateJwtAccessToken(as, request, bank, { ...options, requireDPoP: true }), /DPoP/)
})
await check('DPoP: refresh with the key, and with no other', async () => {
  const refresh = (DPoP) =>
    twice(
      () => oauth.refreshTokenGrantRequest(as, app, oauth.None(), bound.refresh_token, { ...options, DPoP }),
      (response) => oauth.processRefreshTokenResponse(as, app, response),
    )
  await refused('invalid_grant', refresh(other))
  assert.equal((await refresh(DPoP)).token_type, 'dpop')
})
await check('DPoP: userinfo takes the bound token with its key alone', async () => {
  const asked = await parameters(app, { scope: 'openid' })
  const answer = oauth.validateAuthResponse(as, app, await authorize(asked.query), asked.state)
  const { access_token } = await redeem(app, oauth.None(), answer, asked.verifier, { DPoP })
  const get = (DPoP) =>
    twice(
      () => oauth.userInfoRequest(as, app, access_token, { ...options, DPoP }),
      (response) => oauth.processUserInfoResponse(as, app, alice.sub, response),
    )
  assert.equal((await get(DPoP)).sub, alice.sub)
  await assert.rejects(get(other), { code: oauth.WWW_AUTHENTICATE_CHALLENGE })
  await assert.rejects(get(undefined), { code: oauth.WWW_AUTHENTICATE_CHALLENGE })
})

const client = is('web')
await check('PAR with DPoP: the code is bound to the key of the proof', async () => {
  const asked = await parameters(client)
  const { request_uri, expires_in } = await push(client, asked.query, { DPoP })
  assert.equal(expires_in, 90)
  const callback = await authorize({ client_id: 'web', request_uri })
  const answer = oauth.validateAuthResponse(as, client, callback, asked.state)
  await refused('invalid_grant', redeem(client, secret, answer, asked.verifier, { DPoP: other }))
  assert.equal((await redeem(client, secret, answer, asked.verifier, { DPoP })).token_type, 'dpop')
})
await check('PAR: without authentication nothing is taken', async () => {
  const { query } = await parameters(client)
  const response = await oauth.pushedAuthorizationRequest(as, client, oauth.None(), query, options)
  assert.equal(response.status, 401)
})

const signed = (client, query) => oauth.issueRequestObject(as, client, query, { key: key.key, kid: key.kid })
await check('JAR: what is signed counts, and what stands beside it does not', async () => {
  const asked = await parameters(client)
  const request = await signed(client, asked.query)
  const callback = await authorize({ client_id: 'web', request, scope: 'openid', state: 'beside' })
  const answer = oauth.validateAuthResponse(as, client, callback, asked.state)
  const tokens = await redeem(client, secret, answer, asked.verifier)
  assert.ok((await introspect(tokens.access_token)).said.scope.split(' ').includes('accounts'))
})
await check('JAR, pushed', async () => {
  const asked = await parameters(client)
  const request = await signed(client, asked.query)
  const { request_uri } = await push(client, new URLSearchParams({ client_id: 'web', request }))
  const callback = await authorize({ client_id: 'web', request_uri })
  const answer = oauth.validateAuthResponse(as, client, callback, asked.state)
  await redeem(client, secret, answer, asked.verifier)
})
await check('JAR: an object for another server is refused', async () => {
  const { query } = await parameters(client)
  const elsewhere = { ...as, issuer: 'https://elsewhere.example' }
  const request = await oauth.issueRequestObject(elsewhere, client, query, { key: key.key, kid: key.kid })
  const callback = await authorize({ client_id: 'web', request, redirect_uri: redirectUri })
  assert.equal(callback.searchParams.get('error'), 'invalid_request_object')
})

const jarm = is('jarm', { authorization_signed_response_alg: 'ES256' })
for (const response_mode of ['jwt', 'query.jwt'])
  await check(`JARM: ${response_mode}`, async () => {
    const asked = await parameters(jarm, { response_mode })
    const callback = await authorize(asked.query)
    const answer = await oauth.validateJwtAuthResponse(as, jarm, callback, asked.state, options)
    await redeem(jarm, secret, answer, asked.verifier)
  })
await check('JARM: form_post.jwt', async () => {
  const asked = await parameters(jarm, { response_mode: 'form_post.jwt' })
  const posted = new URLSearchParams(await (await authorize(asked.query)).text())
  const answer = await oauth.validateJwtAuthResponse(as, jarm, posted, asked.state, options)
  await redeem(jarm, secret, answer, asked.verifier)
})
await check('JARM: an answer for another client is not taken', async () => {
  const asked = await parameters(jarm, { response_mode: 'jwt' })
  const callback = await authorize(asked.query)
  const stranger = { ...jarm, client_id: 'web' }
  await assert.rejects(oauth.validateJwtAuthResponse(as, stranger, callback, asked.state, options), /aud/)
})

await check('introspection, signed (RFC 9701)', async () => {
  const { access_token } = await forItself(is('machine'), secret)
  const { response, said } = await introspect(access_token, { requestJwtResponse: true })
  assert.match(response.headers.get('content-type'), /^application\/token-introspection\+jwt/)
  await oauth.validateApplicationLevelSignature(as, response, options)
  assert.equal(said.active, true)
  assert.equal(said.client_id, 'machine')
})

const aliases = is('tls', { use_mtls_endpoint_aliases: true })
await check('mutual TLS: the name in the certificate, and a token bound to it', async () => {
  const { access_token } = await forItself(aliases, oauth.TlsClientAuth(), {
    [oauth.customFetch]: await fetcher(named),
  })
  assert.deepEqual((await introspect(access_token)).said.cnf, { 'x5t#S256': await named.thumbprint() })
})
await check('mutual TLS: a subject is no alternative name', async () => {
  const shown = { [oauth.customFetch]: await fetcher(unnamed) }
  await refused('invalid_client', forItself(aliases, oauth.TlsClientAuth(), shown))
})
await check('the log holds no secret and no token', logIsClean)
finish()
