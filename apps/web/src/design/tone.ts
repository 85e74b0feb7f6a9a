/** How a state feels: fine, in motion, worth a look, broken, at rest. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';
