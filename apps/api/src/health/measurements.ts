import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { RunningSettings } from '../config/settings.js';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** How often it is looked how late the event loop is. */
const EVENT_LOOP_MS = 200;

/** What /metrics shows. Other features register their own in `registry`, names beginning with `left4me_`. */
@Injectable()
export class Measurements implements OnApplicationShutdown {
  readonly registry = new Registry();
  private readonly durations = new Histogram({
    name: 'left4me_http_request_duration_seconds',
    help: 'Time until an answer was sent, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  constructor({ apiEnabled }: RunningSettings) {
    // A worker alone is asked by nobody, and need not be woken for it.
    if (!apiEnabled) return;
    // Its default, 10 ms, wakes an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_MS });
  }

  onApplicationShutdown(): void {
    this.registry.clear();
  }

  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    const done = this.durations.startTimer();
    response.once('finish', () => {
      done({ method: request.method, route: routeOf(request), status: String(response.statusCode) });
    });
    next();
  };
}

/** The route's pattern, never the address itself: every id would become a time series of its own. */
function routeOf(request: Request): string {
  const pattern: unknown = request.route?.path;
  if (typeof pattern === 'string') return request.baseUrl + pattern;
  return request.originalUrl.startsWith('/api/') ? 'unknown' : 'console';
}
