import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { PREVIEW_HOSTS } from '../workshop/preview-hosts.js';

/**
 * What browsers may do with the panel's pages: nothing but the panel's own scripts, connections to the panel ('self' covers
 * WebSockets), and pictures of Workshop items from Steam's hosts. Inline styles are allowed: the headless components, Bull board and the API page put <style> elements in.
 */
export function securityHeaders(https: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        scriptSrcAttr: ["'none'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:', ...PREVIEW_HOSTS],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    // Browsers ignore these on plain http and complain in their console.
    strictTransportSecurity: https,
    crossOriginOpenerPolicy: https,
    originAgentCluster: https,
    referrerPolicy: { policy: 'same-origin' },
  });
}
