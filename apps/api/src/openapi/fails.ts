import { ApiExtension } from '@nestjs/swagger';

/** Documents failures of a route that its access and parameters do not tell: status → when. */
export const Fails = (when: Record<string, string>) => ApiExtension('x-fails', when);
