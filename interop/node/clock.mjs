// The server's clock goes wrong by an hour, forwards and backwards (libfaketime): what has expired stays so, and what was
// used once stays used.
import * as oauth from 'oauth4webapi'
import { Person, assert, check, finish, redirectUri, refused } from './common.mjs'
import { alice, clientKey, clockIsOff, issuer, logIsClean, serve, trusting } from './served.mjs'

const HOUR = 3600
/** Longer than the server waits between two looks at what has expired. */
const SWEEP = 12_000
const key = await clientKey('ES256')
const signs = { token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks }
clockIsOff(0)
await serve({
  // Nothing of the time of this suite itself is to decide.
  tenants: [{ name: 'default', lifetimes: { code: 600 } }],
  apis: [
    {
      audience: 'https://bank.example/',
      name: 'Bank',
      scopes: [{ name: 'accounts' }],
      ceilings: [{ client_id: 'machine', scope: 'accounts' }],
      resource_servers: ['machine'],
    },
  ],
  clients: [
    { client_id: 'machine', grant_types: ['client_credentials'], ...signs },
    {
      client_id: 'app',
      redirect_uris: [redirectUri],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
  ],
})

const options = { [oauth.customFetch]: trusting }
const as = await oauth
  .discoveryRequest(new URL(issuer), options)
  .then((response) => oauth.processDiscoveryResponse(new URL(issuer), response))
const machine = { client_id: 'machine' }
const app = { client_id: 'app' }
const person = new Person(alice, trusting)
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A client assertion of the moment that the server takes for now. */
async function assertion(off) {
  const now = Math.floor(Date.now() / 1000) + off
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'machine', sub: 'machine', aud: issuer, iat: now, nbf: now, exp: now + 60 }
  const text = `${part({ alg: 'ES256', kid: key.kid })}.${part({ ...claims, jti: crypto.randomUUID() })}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.key, Buffer.from(text))
  return `${text}.${Buffer.from(signature).toString('base64url')}`
}
async function post(endpoint, form) {
  const response = await trusting(endpoint, { method: 'POST', body: new URLSearchParams(form) })
  return { status: response.status, ...(await response.json()) }
}
const authenticated = (client_assertion) => ({
  client_id: 'machine',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion,
})
const token = (client_assertion) =>
  post(as.token_endpoint, { grant_type: 'client_credentials', scope: 'accounts', ...authenticated(client_assertion) })
const active = async (off, token) =>
  (await post(as.introspection_endpoint, { token, ...authenticated(await assertion(off)) })).active

async function code() {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const query = new URLSearchParams({
    client_id: 'app',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid offline_access accounts',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  const callback = await person.authorize(`${as.authorization_endpoint}?${query}`)
  return { verifier, answer: oauth.validateAuthResponse(as, app, callback, state) }
}
const redeem = async ({ verifier, answer }) =>
  post(as.token_endpoint, {
    grant_type: 'authorization_code',
    client_id: 'app',
    redirect_uri: redirectUri,
    code: answer.get('code'),
    code_verifier: verifier,
  })
const refresh = (refresh_token) => post(as.token_endpoint, { grant_type: 'refresh_token', client_id: 'app', refresh_token })
const good = (answer) => assert.ok(answer.access_token, `${answer.status} ${answer.error}`)
const bad = (error, answer) => assert.equal(answer.error, error)

const used = await assertion(0)
const spent = await code()
const unspent = await code()
const other = await code()
let granted
let second
await check('with the right time everything works', async () => {
  good(await token(used))
  granted = await redeem(spent)
  good(granted)
  assert.equal(await active(0, granted.access_token), true)
  second = await redeem(other)
  good(second)
})

clockIsOff(HOUR)
await check('an hour later the code has expired', async () => bad('invalid_grant', await redeem(unspent)))
await check('an hour later the access token has expired', async () =>
  assert.equal(await active(HOUR, granted.access_token), false),
)
await check('an hour later the assertion has expired', async () =>
  bad('invalid_client', await token(await assertion(0))),
)
let later
await check('an hour later the refresh token is good, and so is a new sign-in', async () => {
  later = await refresh(granted.refresh_token)
  good(later)
  good(await redeem(await code()))
})
await sleep(SWEEP)

clockIsOff(0)
await check('when the hour is taken back, a used assertion stays used', async () =>
  bad('invalid_client', await token(used)),
)
await check('when the hour is taken back, the youngest refresh token is good', async () => {
  later = await refresh(later.refresh_token)
  good(later)
})
await check('when the hour is taken back, a replaced refresh token is reuse', async () => {
  bad('invalid_grant', await refresh(granted.refresh_token))
  bad('invalid_grant', await refresh(later.refresh_token))
})
await check('when the hour is taken back, a spent code stays spent, and coming again it ends what it gave', async () => {
  assert.equal(await active(0, second.access_token), true)
  bad('invalid_grant', await redeem(other))
  assert.equal(await active(0, second.access_token), false)
})

clockIsOff(-HOUR)
await check('an hour too early, an assertion of the right time is from the future', async () =>
  bad('invalid_client', await token(await assertion(0))),
)
await check('an hour too early, there is service', async () => {
  good(await token(await assertion(-HOUR)))
  good(await redeem(await code()))
})
await check('no secret in the log', async () => logIsClean())
finish()
process.exit()
