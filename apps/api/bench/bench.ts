import type { Figure } from './figure.js';
import type { Services } from './services.js';

/** What every measurement is given. */
export interface Bench {
  services: Services;
  /** Tells whoever waits what is being done. */
  say: (line: string) => void;
}

/** One measurement with its reference. */
export type Measurement = (bench: Bench) => Promise<Figure[]>;
