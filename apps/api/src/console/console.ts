import { access } from 'node:fs/promises';
import path from 'node:path';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { NotFound } from '../problems/problems.js';

/** apps/web/dist, from src/console as from dist/console. */
export const CONSOLE_FOLDER = path.resolve(import.meta.dirname, '../../../web/dist');

const api = /^\/(api|health|metrics|queues)(\/|$)/;

/**
 * Serves the built console: its files, and index.html for every page address that a browser asks for. Files below /assets/ have
 * their content's hash in the name and are kept for ever; everything else is asked for again each time.
 */
export function serveConsole(folder: string = CONSOLE_FOLDER): RequestHandler {
  const files = express.static(folder, {
    index: false,
    redirect: false,
    dotfiles: 'ignore',
    setHeaders: (response, file) => {
      const hashed = path.relative(folder, file).startsWith(`assets${path.sep}`);
      response.setHeader('Cache-Control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request: Request, response: Response, next: NextFunction) => {
    if (api.test(request.path)) return next();
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return next(new NotFound(`${request.method} ${request.path}`));
    files(request, response, (error?: unknown) => {
      if (error) next(error);
      else if (isPage(request)) sendPage(folder, response, next);
      else next(new NotFound(`file ${request.path}`));
    });
  };
}

function isPage(request: Request): boolean {
  return !request.path.startsWith('/assets/') && request.accepts(['html', 'json']) === 'html';
}

function sendPage(folder: string, response: Response, next: NextFunction): void {
  access(path.join(folder, 'index.html')).then(
    () => {
      response.setHeader('Cache-Control', 'no-cache');
      response.sendFile('index.html', { root: folder }, (error: unknown) => {
        if (error) next(error);
      });
    },
    () => {
      response.status(503).type('text/plain');
      response.send(
        'The console is not built. Build it with: npm run build -w apps/web\nThe API works: see /api/docs\n',
      );
    },
  );
}
