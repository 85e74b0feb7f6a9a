import { ConsoleLogger } from '@nestjs/common';

/** Nest's own account of its modules and routes at the start: a hundred lines that tell an operator nothing. */
const chatter = new Set([
  'NestFactory',
  'InstanceLoader',
  'RouterExplorer',
  'RoutesResolver',
  'NestApplication',
  'WebSocketsController',
]);

/** The panel's log on stdout and stderr. */
export class PanelLog extends ConsoleLogger {
  constructor() {
    // Files and journals are to be read and searched without escape codes.
    const colors = process.stdout.isTTY ? !process.env['NO_COLOR'] : false; // undefined, as for a file, Nest takes for true
    super({ prefix: 'left4me', colors, logLevels: ['log', 'warn', 'error', 'fatal'] });
  }

  /** What fails inside Nest while it starts is thrown too, and told by whoever starts it. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!chatter.has(String(rest.at(-1)))) super.log(message, ...rest);
  }
}
