import express from 'express';
import { allowedMethods } from './allowed-methods.js';

const handle = (): void => undefined;

describe('allowedMethods', () => {
  const app = express();
  app.use('/everywhere', handle);
  app.get('/keys', handle).post('/keys', handle);
  app.get('/keys/:id', handle).patch('/keys/:id', handle).delete('/keys/:id', handle);
  app.post('/keys/purge', handle);
  app.get('/models/*id', handle).post('/models/*model\\:generate', handle);
  app.search('/found', handle);

  it.each([
    ['/keys', ['GET', 'HEAD', 'POST', 'OPTIONS']],
    ['/keys?limit=5', ['GET', 'HEAD', 'POST', 'OPTIONS']],
    ['/keys/', ['GET', 'HEAD', 'POST', 'OPTIONS']],
    ['/keys/1', ['GET', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/keys/purge', ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS']],
    ['/models/a/b', ['GET', 'HEAD', 'OPTIONS']],
    ['/models/a/b:generate', ['GET', 'HEAD', 'POST', 'OPTIONS']],
    ['/found', ['SEARCH', 'OPTIONS']],
    ['*', ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'SEARCH', 'OPTIONS']],
    ['/', []],
    ['/nothing', []],
    ['/keys/1/2', []],
    ['/everywhere', []],
  ])('of %s are %j', (url, methods) => {
    expect(allowedMethods(app, url)).toEqual(methods);
  });
});
