// Authorization servers of another make, set up like the five providers' own: npm's oidc-provider,
// one on a loopback port for each row of the table.
//
// Prints one line of JSON when they all listen: where they are and which clients they know.
// Ends when its standard input ends.

import { randomBytes, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import Provider, { errors } from 'oidc-provider';

const REDIRECT_URI = 'https://app.example/callback';
const CODE = ['authorization_code', 'refresh_token'];
const HOUR = 3600;

// The paths are those of specs/*.yaml. `resource` is one call of the provider, with the smallest reply
// that its clients read. Every client has a sibling whose access tokens live for three seconds.
const PROVIDERS = {
  ofx: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    scopes: ['payments'],
    pkce: false,
    clients: { user: ['client_secret_post', ['client_credentials', ...CODE]] },
    resource: ['/payments/beneficiaries', []],
  },
  mx: {
    authorization: '/oauth2/v4/authorize',
    token: '/oauth2/v4/token',
    revocation: '/oauth2/v4/revoke',
    scopes: ['openid', 'customers', 'accounts', 'transactions'],
    pkce: true,
    clients: { user: ['client_secret_basic', CODE] },
    resource: ['/customers/current', { customerId: 'customer-1' }],
  },
  omnifund: {
    authorization: '/oauth/v2/auth',
    token: '/oauth/v2/token',
    scopes: ['all'],
    pkce: false,
    clients: { user: ['client_secret_post', ['password', ...CODE]] },
    resource: ['/api/customers', { 'hydra:member': [] }],
    also: [scopeByDefault],
  },
  tatrabanka: {
    authorization: '/auth/oauth/v2/authorize',
    token: '/auth/oauth/v2/token',
    scopes: ['PREMIUM_AIS', 'PREMIUM_AIS:consent-1'],
    pkce: true,
    // The bank takes both ways of authentication from one client; oidc-provider takes one per client.
    clients: {
      user: ['client_secret_basic', CODE],
      service: ['client_secret_post', ['client_credentials']],
    },
    resource: ['/v3/accounts', { accounts: [] }],
    serviceResource: ['/v3/consents', { consentId: 'consent-1' }],
    also: [bareScopeInReply],
  },
  finexer: {
    authorization: '/oauth/',
    token: '/oauth/token',
    // Under the path at which finexerRevocation asks for it.
    revocation: '/rfc7009',
    scopes: ['customer_read', 'customer_write'],
    pkce: false,
    clients: { user: ['client_secret_post', CODE] },
    resource: ['/customers', { data: [] }],
    also: [spacesForCommas, finexerRevocation],
  },
};

// Standard output is for the one line, and that tokens are kept in memory only is known.
console.info = () => {};
console.warn = () => {};

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWKS = { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] };

const started = {};
for (const [name, row] of Object.entries(PROVIDERS)) started[name] = await start(name, row);
process.stdout.write(`${JSON.stringify(started)}\n`);
process.stdin.resume().on('end', () => process.exit(0));

async function start(name, row) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  const clients = registrations(name, row);
  const provider = new Provider(url, {
    clients,
    scopes: ['openid', ...row.scopes],
    jwks: JWKS,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    pkce: { required: () => row.pkce },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    expiresWithSession: () => false,
    clockTolerance: 0,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: Boolean(row.revocation) },
    },
    routes: {
      authorization: row.authorization,
      token: row.token,
      ...(row.revocation && { revocation: row.revocation }),
    },
    ttl: {
      AccessToken: (_, token, client) => life(client),
      ClientCredentials: (_, token, client) => life(client),
      AuthorizationCode: 60,
      RefreshToken: 30 * 24 * HOUR,
      Grant: 30 * 24 * HOUR,
      Interaction: HOUR,
      Session: HOUR,
      IdToken: HOUR,
    },
  });
  if (clients.some((client) => client.grant_types.includes('password'))) addPasswordGrant(provider);
  for (const middleware of [...(row.also ?? []), consent, resources(row)]) {
    provider.use((ctx, next) => middleware(ctx, next, provider, url));
  }
  provider.on('server_error', (_, error) => console.error(`${name}:`, error));
  server.on('request', provider.callback());
  const known = clients.map((client) => [client.client_name, { id: client.client_id, secret: client.client_secret }]);
  return { url, redirect_uri: REDIRECT_URI, clients: Object.fromEntries(known) };
}

function registrations(name, row) {
  return Object.entries(row.clients).flatMap(([role, [method, grants]]) =>
    ['', 'brief-'].map((life) => ({
      client_name: `${life}${role}`,
      client_id: `${name}-${life}${role}`,
      // Every character that a form or a Basic header can get wrong (RFC 6749 section 2.3.1).
      client_secret: `${randomBytes(16).toString('hex')}+ %:/&=~"`,
      token_endpoint_auth_method: method,
      grant_types: grants,
      response_types: grants.includes('authorization_code') ? ['code'] : [],
      redirect_uris: grants.includes('authorization_code') ? [REDIRECT_URI] : [],
      id_token_signed_response_alg: 'ES256',
    })));
}

function life(client) {
  return client.clientName.startsWith('brief-') ? 3 : HOUR;
}

// The user: signed in and agreeing at once, or refusing when the browser says `x-user: refuses`.
async function consent(ctx, next, provider) {
  if (!ctx.path.startsWith('/interaction/')) return next();
  if (ctx.get('x-user') === 'refuses') {
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { error: 'access_denied' }));
    return;
  }
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = new provider.Grant({ accountId: 'user-1', clientId: params.client_id });
  if (params.scope) grant.addOIDCScope(params.scope);
  const result = { login: { accountId: 'user-1' }, consent: { grantId: await grant.save() } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
}

// The provider's API: oidc-provider says whether the token lives (RFC 6750 section 3.1 when it does not).
function resources(row) {
  const replies = new Map([row.resource, row.serviceResource].filter(Boolean));
  return async (ctx, next, provider) => {
    if (!replies.has(ctx.path)) return next();
    const value = ctx.get('authorization').replace(/^Bearer /, '');
    const token = await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value);
    if (token?.isValid) {
      ctx.status = ctx.method === 'POST' ? 201 : 200;
      ctx.body = replies.get(ctx.path);
    } else {
      ctx.status = 401;
      ctx.set('www-authenticate', 'Bearer error="invalid_token"');
      ctx.body = {};
    }
  };
}

// oidc-provider does not have the password grant (RFC 6749 section 4.3); its tokens are oidc-provider's own.
function addPasswordGrant(provider) {
  provider.registerGrantType('password', async (ctx) => {
    const { client, params } = ctx.oidc;
    if (params.username !== 'user-1' || params.password !== 'correct horse') {
      throw new errors.InvalidGrant('wrong name or password');
    }
    const grant = new provider.Grant({ accountId: params.username, clientId: client.clientId });
    const common = {
      accountId: params.username,
      client,
      grantId: await grant.save(),
      gty: 'password',
      expiresWithSession: false,
    };
    const access = new provider.AccessToken(common);
    const refresh = new provider.RefreshToken({ ...common, rotations: 0 });
    ctx.body = {
      access_token: await access.save(),
      expires_in: access.expiration,
      token_type: access.tokenType,
      refresh_token: await refresh.save(),
    };
  }, ['username', 'password']);
}

// OmniFund's clients never ask for a scope, and oidc-provider has nothing to agree to without one: this
// is the default that the server may choose (RFC 6749 section 3.3).
function scopeByDefault(ctx, next) {
  if (ctx.path === PROVIDERS.omnifund.authorization) ctx.query = { scope: 'all', ...ctx.query };
  return next();
}

// Tatra banka's token replies name the scope without the id of the consent.
async function bareScopeInReply(ctx, next) {
  await next();
  if (ctx.path === PROVIDERS.tatrabanka.token && ctx.body?.scope) {
    ctx.body = { ...ctx.body, scope: ctx.body.scope.replace(/:.*/, '') };
  }
}

// Finexer separates scopes with commas.
function spacesForCommas(ctx, next) {
  if (ctx.query.scope) ctx.query = { ...ctx.query, scope: ctx.query.scope.replaceAll(',', ' ') };
  return next();
}

// Finexer's revocation is not RFC 7009: the field is `refresh_token` and success is 204. What is
// revoked, and who may, is oidc-provider's affair.
async function finexerRevocation(ctx, next, provider, url) {
  if (ctx.path !== '/oauth/revoke') return next();
  const chunks = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  form.set('token', form.get('refresh_token') ?? '');
  form.delete('refresh_token');
  const reply = await fetch(`${url}/rfc7009`, { method: 'POST', body: form });
  ctx.status = reply.status === 200 ? 204 : reply.status;
  if (reply.status !== 200) ctx.body = await reply.json();
}
