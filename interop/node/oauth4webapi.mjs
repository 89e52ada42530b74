// npm oauth4webapi: the low-level library; every response goes through its own processing.
import * as oauth from 'oauth4webapi'
import {
  Person,
  alice,
  assert,
  call,
  check,
  client as registered,
  finish,
  issuer,
  mail,
  notes,
  redirectUri,
  refused,
  scope,
} from './common.mjs'

const options = { [oauth.allowInsecureRequests]: true }
const as_client = (id) => ({ client_id: id })
const basic = (id) => oauth.ClientSecretBasic(registered(id).client_secret)
const web = as_client('demo-web')
const webSecret = basic('demo-web')

const as = await check('discovery by OpenID Connect', async () => {
  const response = await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: 'oidc' })
  return oauth.processDiscoveryResponse(new URL(issuer), response)
})
await check('discovery by RFC 8414', async () => {
  const response = await oauth.discoveryRequest(new URL(issuer), { ...options, algorithm: 'oauth2' })
  const other = await oauth.processDiscoveryResponse(new URL(issuer), response)
  assert.equal(other.token_endpoint, as.token_endpoint)
  assert.equal(other.jwks_uri, as.jwks_uri)
})

const person = new Person()

async function ask(parameters = {}, choices = {}, who = person, client = web) {
  const asked = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  }
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(asked.verifier),
    code_challenge_method: 'S256',
    state: asked.state,
    nonce: asked.nonce,
    ...parameters,
  })
  return { ...asked, callback: await who.authorize(url, choices) }
}

async function redeem(asked, client = web, authentication = webSecret, verifier = asked.verifier) {
  const parameters = oauth.validateAuthResponse(as, client, asked.callback, asked.state)
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    authentication,
    parameters,
    redirectUri,
    verifier,
    options,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce: asked.nonce,
    requireIdToken: true,
  })
  await oauth.validateApplicationLevelSignature(as, response, options)
  return tokens
}

async function refresh(token, parameters) {
  const response = await oauth.refreshTokenGrantRequest(as, web, webSecret, token, {
    ...options,
    additionalParameters: parameters,
  })
  return oauth.processRefreshTokenResponse(as, web, response)
}

async function introspect(token) {
  const api = as_client('demo-notes-api')
  const response = await oauth.introspectionRequest(as, api, basic('demo-notes-api'), token, options)
  return oauth.processIntrospectionResponse(as, api, response)
}

async function revoke(token) {
  return oauth.processRevocationResponse(await oauth.revocationRequest(as, web, webSecret, token, options))
}

async function validate(token, audience) {
  const request = new Request(audience, { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(as, request, audience, options)
}

const tokens = await check('code and PKCE: state, iss, nonce and signed ID token hold', async () => {
  const tokens = await redeem(await ask())
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, alice.sub)
  return tokens
})
await check('the access token is a JWT after RFC 9068', async () => {
  const claims = await validate(tokens.access_token, notes.audience)
  assert.equal(claims.client_id, 'demo-web')
  assert.equal(claims.sub, alice.sub)
  assert.ok(claims.scope.split(' ').includes('notes:read'))
  assert.ok(claims.jti)
})
await check('an ID token is not taken for an access token', async () => {
  assert.equal(await call(as.userinfo_endpoint, tokens.id_token), 401)
  assert.equal(await call(notes.url, tokens.id_token), 401)
  assert.deepEqual(await introspect(tokens.id_token), { active: false })
})
await check('another verifier is refused', async () => {
  await refused('invalid_grant', redeem(await ask(), web, webSecret, oauth.generateRandomCodeVerifier()))
})
await check('a wrong secret is invalid_client, with 401 and a challenge', async () => {
  const wrong = oauth.ClientSecretBasic('wrong')
  const response = await oauth.clientCredentialsGrantRequest(as, as_client('demo-machine'), wrong, {}, options)
  assert.equal(response.status, 401)
  assert.match(response.headers.get('www-authenticate'), /^Basic /)
  assert.equal((await response.json()).error, 'invalid_client')
})
await check('a code works once', async () => {
  const asked = await ask()
  await redeem(asked)
  await refused('invalid_grant', redeem(asked))
})
await check('userinfo', async () => {
  const response = await oauth.userInfoRequest(as, web, tokens.access_token, options)
  const user = await oauth.processUserInfoResponse(as, web, alice.sub, response)
  assert.ok(user.name)
})
await check('the demo API takes the token', async () => {
  const response = await oauth.protectedResourceRequest(
    tokens.access_token,
    'GET',
    new URL(notes.url),
    new Headers(),
    null,
    options,
  )
  assert.equal(response.status, 200)
})
await check('the demo API challenges who has none', async () => {
  const response = await fetch(notes.url)
  assert.equal(response.status, 401)
  assert.match(response.headers.get('www-authenticate'), /^Bearer/)
})
await check('introspection', async () => {
  const said = await introspect(tokens.access_token)
  assert.equal(said.active, true)
  assert.equal(said.iss, issuer)
  assert.equal(said.sub, alice.sub)
})
await check('introspection without credentials is refused', async () => {
  const api = as_client('demo-notes-api')
  const response = await oauth.introspectionRequest(
    as,
    api,
    oauth.ClientSecretBasic('wrong'),
    tokens.access_token,
    options,
  )
  assert.equal(response.status, 401)
  const challenged = { code: oauth.WWW_AUTHENTICATE_CHALLENGE }
  await assert.rejects(oauth.processIntrospectionResponse(as, api, response), challenged)
})
const second = await check('refresh, twice the same inside the grace window', async () => {
  const second = await refresh(tokens.refresh_token)
  assert.equal((await refresh(tokens.refresh_token)).refresh_token, second.refresh_token)
  return second
})
await check('an older refresh token is refused and takes the grant with it', async () => {
  const third = await refresh(second.refresh_token)
  await refused('invalid_grant', refresh(tokens.refresh_token))
  await refused('invalid_grant', refresh(third.refresh_token))
  assert.equal(await call(notes.url, third.access_token), 401)
})
await check('client credentials for one API', async () => {
  const machine = as_client('demo-machine')
  const response = await oauth.clientCredentialsGrantRequest(
    as,
    machine,
    basic('demo-machine'),
    { scope: 'notes:read' },
    options,
  )
  const tokens = await oauth.processClientCredentialsResponse(as, machine, response)
  const claims = await validate(tokens.access_token, notes.audience)
  assert.equal(claims.client_id, 'demo-machine')
})
await check('an unknown scope is invalid_scope', async () => {
  const machine = as_client('demo-machine')
  const response = await oauth.clientCredentialsGrantRequest(
    as,
    machine,
    basic('demo-machine'),
    { scope: 'no:such' },
    options,
  )
  await refused('invalid_scope', oauth.processClientCredentialsResponse(as, machine, response))
})
await check('an unknown resource is invalid_target (RFC 8707 2)', async () => {
  const machine = as_client('demo-machine')
  const parameters = { resource: 'https://elsewhere.example/' }
  const response = await oauth.clientCredentialsGrantRequest(as, machine, basic('demo-machine'), parameters, options)
  await refused('invalid_target', oauth.processClientCredentialsResponse(as, machine, response))
})
await check('resource chooses the audience (RFC 8707)', async () => {
  const tokens = await redeem(await ask({ scope: 'openid notes:read mail:read', resource: mail.audience }))
  assert.equal(await call(mail.url, tokens.access_token), 200)
  assert.equal(await call(notes.url, tokens.access_token), 401)
})
await check('revocation', async () => {
  const tokens = await redeem(await ask())
  await revoke(tokens.access_token)
  assert.deepEqual(await introspect(tokens.access_token), { active: false })
  assert.equal(await call(notes.url, tokens.access_token), 401)
  assert.equal(await call(as.userinfo_endpoint, tokens.access_token), 401)
})
await check('a token of another client is not revoked', async () => {
  const tokens = await redeem(await ask())
  const machine = as_client('demo-machine')
  await oauth.revocationRequest(as, machine, basic('demo-machine'), tokens.access_token, options)
  assert.equal((await introspect(tokens.access_token)).active, true)
})
await check('a public client', async () => {
  const client = as_client('demo-public')
  const asked = await ask({}, {}, person, client)
  const tokens = await redeem(asked, client, oauth.None())
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, 'demo-public')
})
await check('a request without PKCE comes back as invalid_request', async () => {
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: 'demo-web',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state: 'x',
  })
  const callback = await person.authorize(url)
  assert.equal(callback.searchParams.get('error'), 'invalid_request')
  assert.throws(() => oauth.validateAuthResponse(as, web, callback, 'x'), oauth.AuthorizationResponseError)
})
await check('denied', async () => {
  const asked = await ask({ prompt: 'consent' }, { decision: 'deny' }, new Person())
  await refused('access_denied', (async () => oauth.validateAuthResponse(as, web, asked.callback, asked.state))())
})
finish()
